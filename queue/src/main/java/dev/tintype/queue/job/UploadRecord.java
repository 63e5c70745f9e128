package dev.tintype.queue.job;

import dev.tintype.queue.QueueException;

/**
 * A stored picture that a job can start from.
 *
 * @param sha256 its name in the blob store, 64 hex digits
 * @param mediaType {@code image/png} or {@code image/jpeg}
 * @param width pixels
 * @param height pixels
 * @param bytes size of the file
 */
public record UploadRecord(String sha256, String mediaType, int width, int height, long bytes) {
  public UploadRecord {
    if (!Sha256.isHex(sha256)
        || !(mediaType.equals("image/png") || mediaType.equals("image/jpeg"))
        || width < 1
        || height < 1
        || bytes < 1) {
      throw new QueueException.Invalid(
          "job.upload", "An upload is a PNG or JPEG with a SHA-256 in hex and a size.");
    }
  }
}
