package dev.tintype.edge;

import java.io.IOException;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Where originals come from; a node wires this to its blob store. Called on the edge's own pool, so
 * it may block.
 */
@FunctionalInterface
public interface Originals {

  /**
   * Finds an original.
   *
   * @param sha256 the SHA-256 of its bytes: 64 lower-case hexadecimal digits, checked
   * @return empty when there is none
   * @throws IOException when the store cannot say
   */
  Optional<OriginalImage> open(String sha256) throws IOException;

  /**
   * Finds an original, and asks before its bytes take memory.
   *
   * @param admission told the size of an original that comes into memory, before that is taken
   *     where the store can tell; may be told more than once. What it throws goes on to the caller
   */
  default Optional<OriginalImage> open(String sha256, LongConsumer admission) throws IOException {
    Optional<OriginalImage> found = open(sha256);
    if (found.isPresent() && found.get() instanceof OriginalImage.InMemory image) {
      admission.accept(image.size());
    }
    return found;
  }

  /** Whether there is such an original; cheaper than {@link #open} where the store is elsewhere. */
  default boolean exists(String sha256) throws IOException {
    return open(sha256).isPresent();
  }
}
