package dev.tintype.edge;

import dev.tintype.edge.url.ImageFormat;
import java.io.IOException;
import java.util.Optional;

/**
 * Variants that several edges share, behind their own memory and disk: what one edge has encoded,
 * the others need not, nor one that starts with an empty folder. A node wires this to its object
 * store. Called on a pool of the edge's own, so it may block; what fails or takes too long costs an
 * encode, never an answer.
 */
public interface SharedVariants {
  /** Shares nothing: an edge that stands alone. */
  SharedVariants NONE =
      new SharedVariants() {
        @Override
        public Optional<byte[]> get(String sha256, String id) {
          return Optional.empty();
        }

        @Override
        public void put(String sha256, String id, ImageFormat format, byte[] bytes) {}

        @Override
        public void forget(String sha256) {}
      };

  /**
   * The bytes of a variant, as they were put, or empty where it is not there.
   *
   * @param sha256 the original
   * @param id the variant's name, 32 hexadecimal digits
   * @throws IOException when the store cannot say, or has other bytes than were put
   */
  Optional<byte[]> get(String sha256, String id) throws IOException;

  /** Keeps a variant; the same name always means the same picture. */
  void put(String sha256, String id, ImageFormat format, byte[] bytes) throws IOException;

  /** Drops all variants of an original. */
  void forget(String sha256) throws IOException;
}
