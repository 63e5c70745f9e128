package dev.tintype.sampler.device;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Where files are kept that can be made anew: unpacked libraries, what was measured to be fastest.
 */
public final class CacheFolder {
  private CacheFolder() {}

  /**
   * -Dtintype.cache, else TINTYPE_CACHE, else tintype in XDG_CACHE_HOME, else in ~/.cache. What is
   * blank counts as not set.
   */
  public static Path find() {
    return find(System::getProperty, System::getenv);
  }

  static Path find(UnaryOperator<String> properties, UnaryOperator<String> variables) {
    return set(properties, "tintype.cache")
        .or(() -> set(variables, "TINTYPE_CACHE"))
        .map(Path::of)
        .or(() -> set(variables, "XDG_CACHE_HOME").map(home -> Path.of(home, "tintype")))
        .orElseGet(() -> Path.of(properties.apply("user.home"), ".cache", "tintype"));
  }

  private static Optional<String> set(UnaryOperator<String> settings, String name) {
    return Optional.ofNullable(settings.apply(name)).filter(value -> !value.isBlank());
  }
}
