package dev.tintype.worker;

import dev.tintype.worker.RunningJob.Sample;
import dev.tintype.worker.StageTimes.Stage;
import dev.tintype.worker.engine.Picture;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;

/**
 * Makes pictures of latents that are done, as far as finished pictures may wait for their store:
 * while it is away, latents wait on the device, and the rest goes on. For the loop's thread.
 */
final class Decoding {
  /** Decoded pictures that wait for their PNG and the store; bounds memory (1024^2: 3 MB each). */
  static final int PICTURES_PENDING_MAX = 8;

  private final LoopJobs jobs;
  private final Semaphore picturesPending;
  private final LongSupplier nanoTime;

  /**
   * @param picturesPending {@link #PICTURES_PENDING_MAX} permits, shared with the scribes
   * @param nanoTime as {@link System#nanoTime}
   */
  Decoding(LoopJobs jobs, Semaphore picturesPending, LongSupplier nanoTime) {
    this.jobs = jobs;
    this.picturesPending = picturesPending;
    this.nanoTime = nanoTime;
  }

  /** Whether all that is in the making is done, and waits for its store. */
  boolean waits() {
    List<Sample> samples = jobs.samples();
    return !samples.isEmpty() && samples.stream().allMatch(sample -> sample.painting().done());
  }

  void decode() {
    for (Sample sample : jobs.samples()) {
      if (sample.painting().done() && jobs.goesOn(sample.job())) {
        if (!picturesPending.tryAcquire()) {
          return;
        }
        decode(sample);
      }
    }
  }

  private void decode(Sample sample) {
    RunningJob job = sample.job();
    long start = nanoTime.getAsLong();
    Picture picture;
    try {
      picture = job.engine().decode(sample.painting());
    } catch (RuntimeException e) {
      picturesPending.release();
      jobs.fail(job, e);
      return;
    }
    job.took(Stage.DECODE, sample.index(), nanoTime.getAsLong() - start);
    job.scribe().picture(sample.index(), picture, job.gpuMs(sample.index()));
    job.decoded(sample);
    if (job.complete()) {
      jobs.succeed(job);
    }
  }
}
