package dev.tintype.queue.blob;

import java.util.Optional;

/**
 * What can be made again of a blob, such as a picture in another size, kept beside the blobs for
 * all processes. Its name says how it was made, not what its bytes are, so their digest is kept
 * with them and checked. Errors are {@link dev.tintype.queue.QueueException.Blob}.
 */
public interface DerivedStore {
  /** Largest derived thing. */
  int BYTES_MAX = 64 * 1024 * 1024;

  /**
   * The bytes, or empty where they are not there.
   *
   * @param sha256 the blob
   * @param name 1 to 64 hexadecimal digits
   * @throws dev.tintype.queue.QueueException.Blob blob.io also where the bytes are not those that
   *     were put
   */
  Optional<byte[]> get(String sha256, String name);

  /**
   * Puts or replaces.
   *
   * @param mediaType what the bytes are, such as {@code image/webp}
   */
  void put(String sha256, String name, String mediaType, byte[] bytes);

  /**
   * Removes everything that was made of a blob.
   *
   * @return how much was there
   */
  int forget(String sha256);
}
