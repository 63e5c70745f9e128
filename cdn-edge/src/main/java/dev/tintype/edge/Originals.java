package dev.tintype.edge;

import java.io.IOException;
import java.util.Optional;

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

  /** Whether there is such an original; cheaper than {@link #open} where the store is elsewhere. */
  default boolean exists(String sha256) throws IOException {
    return open(sha256).isPresent();
  }
}
