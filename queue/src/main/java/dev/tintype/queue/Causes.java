package dev.tintype.queue;

import java.util.Optional;
import java.util.stream.Stream;

/** What stands behind an error: drivers put into several wrappings what happened. */
public final class Causes {
  /** Chains may be circles. */
  private static final int MAX = 20;

  private Causes() {}

  /** The error itself first. */
  public static Stream<Throwable> of(Throwable error) {
    return Stream.iterate(error, t -> t != null, Throwable::getCause).limit(MAX);
  }

  /** The outermost of that kind. */
  public static <T extends Throwable> Optional<T> first(Throwable error, Class<T> kind) {
    return of(error).filter(kind::isInstance).map(kind::cast).findFirst();
  }

  /** What happened at the bottom of it. */
  public static Throwable last(Throwable error) {
    return of(error).reduce(error, (above, below) -> below);
  }

  /** Its message, or its class where it has none. */
  public static String message(Throwable error) {
    return error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
  }
}
