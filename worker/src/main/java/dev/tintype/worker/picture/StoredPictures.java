package dev.tintype.worker.picture;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.worker.WorkerException;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.engine.StartPictures;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/**
 * Reads what a job starts from out of the blob store, cut and scaled to the job's size. Whatever
 * the file makes the decoder throw, running out of memory too, is that job's failure and nobody
 * else's.
 */
public final class StoredPictures {
  /** The gateway takes 16 MiB; a worker's own PNG may be larger. */
  private static final int FILE_BYTES_MAX = 64 * 1024 * 1024;

  private final BlobStore blobs;
  private final PictureDecoder decoder;

  public StoredPictures(BlobStore blobs, PictureDecoder decoder) {
    this.blobs = blobs;
    this.decoder = decoder;
  }

  /**
   * @throws WorkerException.Unsuitable worker.image where a picture is gone or cannot be decoded
   * @throws QueueException.Blob blob.io where the store cannot be read; another try may do
   */
  public StartPictures of(JobSpec spec) {
    return new StartPictures(
        spec.initImage().map(sha256 -> read("init_image", sha256, spec, 255)),
        // What is transparent in a mask stays.
        spec.maskImage().map(sha256 -> read("mask", sha256, spec, 0)));
  }

  private Picture read(String field, String sha256, JobSpec spec, int background) {
    try {
      byte[] file = bytes(field, sha256);
      return Resampling.cover(decode(field, file, spec, background), spec.width(), spec.height());
    } catch (OutOfMemoryError e) {
      // What was being built is garbage now, so the worker can go on; a second try would end alike.
      throw unsuitable(field, "needs more memory than the worker has; send a smaller one", e);
    }
  }

  private Picture decode(String field, byte[] file, JobSpec spec, int background) {
    try {
      return decoder.decode(file, spec.width(), spec.height(), background);
    } catch (IOException | RuntimeException e) {
      // The JDK's decoders raise many kinds for a damaged file, and none is ours to tell apart.
      throw unsuitable(field, "cannot be decoded; send it again as a plain PNG or JPEG", e);
    }
  }

  private byte[] bytes(String field, String sha256) {
    Optional<InputStream> blob = blobs.open(sha256);
    if (blob.isEmpty()) {
      throw unsuitable(field, "is no longer in the store; send it again to POST /v1/images", null);
    }
    byte[] file;
    try (InputStream in = blob.get()) {
      file = in.readNBytes(FILE_BYTES_MAX + 1);
    } catch (IOException e) {
      throw new QueueException.Blob(
          "blob.io", "Cannot read blob " + sha256 + ": " + e.getMessage(), e);
    }
    if (file.length > FILE_BYTES_MAX) {
      throw unsuitable(field, "is larger than " + FILE_BYTES_MAX + " bytes", null);
    }
    return file;
  }

  private static WorkerException.Unsuitable unsuitable(
      String field, String problem, Throwable cause) {
    return new WorkerException.Unsuitable(
        "worker.image", "The picture that " + field + " names " + problem + ".", cause);
  }
}
