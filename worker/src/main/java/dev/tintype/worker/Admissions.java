package dev.tintype.worker;

import dev.tintype.worker.RunningJob.Sample;
import dev.tintype.worker.StageTimes.Stage;
import dev.tintype.worker.engine.EngineFault;
import dev.tintype.worker.engine.Painting;
import dev.tintype.worker.engine.PaintingState;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Begins pictures while there is room for their latents: from noise, from a start picture, or where
 * an earlier attempt was. For the loop's thread.
 */
final class Admissions {
  private static final Logger LOG = LoggerFactory.getLogger(Admissions.class);

  private final LoopJobs jobs;
  private final int latentsMax;
  private final LongSupplier nanoTime;
  private long number;

  /**
   * @param latentsMax as {@link WorkerConfig#samplesMax}
   * @param nanoTime as {@link System#nanoTime}
   */
  Admissions(LoopJobs jobs, int latentsMax, LongSupplier nanoTime) {
    this.jobs = jobs;
    this.latentsMax = latentsMax;
    this.nanoTime = nanoTime;
  }

  /** Whether a picture would be begun now. */
  boolean want() {
    return jobs.latents() < latentsMax && jobs.stream().anyMatch(RunningJob::wantsAdmission);
  }

  void admit() {
    for (RunningJob job : jobs.all()) {
      if (job.complete()) {
        jobs.succeed(job); // An earlier attempt has stored all of its pictures.
      } else if (!admit(job)) {
        return; // There will be room when a running picture is done.
      }
    }
  }

  /** False where the device has no memory for one more now. */
  private boolean admit(RunningJob job) {
    while (jobs.latents() < latentsMax && job.wantsAdmission()) {
      int index = job.nextIndex();
      long start = nanoTime.getAsLong();
      try {
        job.admit(new Sample(job, index, number++, begin(job, index)));
      } catch (RuntimeException e) {
        if (EngineFault.of(e) == EngineFault.MEMORY && jobs.latents() > 0) {
          return false;
        }
        jobs.fail(job, e);
        return true;
      }
      job.took(Stage.TEXT, index, nanoTime.getAsLong() - start);
    }
    return true;
  }

  /** From where an earlier attempt was, if that is known. */
  private static Painting begin(RunningJob job, int index) {
    Optional<PaintingState> state = job.state(index);
    if (state.isPresent()) {
      try {
        return job.engine().resume(job.spec(), index, job.start(), state.get());
      } catch (RuntimeException e) {
        if (EngineFault.of(e) != EngineFault.JOB) {
          throw e;
        }
        LOG.warn("Job {} is begun anew: {}", job.lease().jobId(), e.getMessage());
      }
    }
    return job.engine().admit(job.spec(), index, job.start());
  }
}
