package dev.tintype.queue.blob;

import java.io.InputStream;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Content-addressed bytes. Errors are {@link dev.tintype.queue.QueueException.Blob}: blob.full,
 * blob.read_only, blob.io, blob.too_large.
 */
public interface BlobStore {
  /** Largest blob. */
  int BLOB_BYTES_MAX = 256 * 1024 * 1024;

  /** Stores the bytes durably and returns their SHA-256 in lower-case hex. Idempotent. */
  String put(byte[] bytes);

  /**
   * The bytes, or empty where no such blob is; code {@code blob.key} if the text is no SHA-256 in
   * lower-case hex.
   */
  Optional<InputStream> open(String sha256);

  /** The size in bytes, or empty where no such blob is. */
  OptionalLong size(String sha256);

  default boolean exists(String sha256) {
    return size(sha256).isPresent();
  }

  /** False where no such blob was. */
  boolean delete(String sha256);
}
