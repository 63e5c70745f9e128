package dev.tintype.worker;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.worker.StageTimes.Stage;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.picture.PngEncoder;
import dev.tintype.worker.picture.RecipeText;
import dev.tintype.worker.picture.ThumbHash;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the finished pictures of one job into the blob store, as PNG with their recipe. A store that
 * is away is waited for: for long where the job goes on, for a short while where it is handed on,
 * and not at all where nobody wants the picture any more.
 */
final class PictureHandIn {
  private static final Logger LOG = LoggerFactory.getLogger(PictureHandIn.class);

  private final RunningJob job;
  private final BlobStore blobs;
  private final long handBackNanos;

  /**
   * @param handBackNanos as {@link WorkerConfig#handBackMax}
   */
  PictureHandIn(RunningJob job, BlobStore blobs, long handBackNanos) {
    this.job = job;
    this.blobs = blobs;
    this.handBackNanos = handBackNanos;
  }

  /**
   * Stores a picture. Empty where the job is to stop, and its time for that is over.
   *
   * @throws QueueException.Blob where the store did not take it in {@link
   *     WorkerConfig#STORE_WAIT_MAX}
   */
  Optional<ImageRecord> store(int index, Picture picture, OptionalLong gpuMs)
      throws InterruptedException {
    long start = System.nanoTime();
    try {
      byte[] png =
          PngEncoder.encode(
              picture, RecipeText.of(job.spec(), index, scheduler(), job.engine().modelHash()));
      return put(png).map(sha256 -> record(index, picture, png.length, sha256, gpuMs));
    } finally {
      job.times().add(Stage.STORE, System.nanoTime() - start);
    }
  }

  private ImageRecord record(
      int index, Picture picture, int bytes, String sha256, OptionalLong gpuMs) {
    return new ImageRecord(
        index,
        sha256,
        picture.width(),
        picture.height(),
        Engine.seed(job.spec(), index),
        bytes,
        Optional.of(ThumbHash.base64(picture)),
        gpuMs);
  }

  private String scheduler() {
    return job.spec().scheduler().orElseGet(() -> job.engine().defaultScheduler());
  }

  private Optional<String> put(byte[] png) throws InterruptedException {
    long deadline = System.nanoTime() + WorkerConfig.STORE_WAIT_MAX.toNanos();
    long pauseMs = LeasedWrites.RETRY_MS_MIN;
    while (mayStore()) {
      try {
        return Optional.of(blobs.put(png));
      } catch (QueueException.Blob e) {
        boolean late = job.stop() == null && System.nanoTime() > deadline;
        if (e.code().equals("blob.too_large") || late) {
          throw e;
        }
        LOG.warn(
            "Job {}: picture not stored, trying again: {}", job.lease().jobId(), e.getMessage());
        TimeUnit.MILLISECONDS.sleep(pauseMs);
        pauseMs = Math.min(LeasedWrites.RETRY_MS_MAX, pauseMs * 2);
      }
    }
    return Optional.empty();
  }

  /** A job that is handed on still has a while for its pictures. */
  private boolean mayStore() {
    RunningJob.Stop reason = job.stop();
    return reason == null || reason.handsOn() && job.stoppedForNanos() < handBackNanos;
  }
}
