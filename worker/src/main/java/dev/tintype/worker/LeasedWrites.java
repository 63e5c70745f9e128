package dev.tintype.worker;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.NewEvent;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.worker.checkpoint.JobCheckpoints;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one job writes under its lease: events, and its ending. A store that is away is waited for,
 * up to {@link WorkerConfig#HAND_IN_MAX}: a picture that took minutes is worth it. Where the store
 * says that the lease is lost, so does the job, and nothing more is written. For the scribe's
 * thread.
 */
final class LeasedWrites {
  private static final Logger LOG = LoggerFactory.getLogger(LeasedWrites.class);
  static final long RETRY_MS_MIN = 100;
  static final long RETRY_MS_MAX = 2_000;

  private final RunningJob job;
  private final LeaseStore store;
  private final JobCheckpoints checkpoints;

  LeasedWrites(RunningJob job, LeaseStore store, JobCheckpoints checkpoints) {
    this.job = job;
    this.store = store;
    this.checkpoints = checkpoints;
  }

  void append(NewEvent event) throws InterruptedException {
    lostUnless(() -> store.appendEvents(job.lease(), List.of(event)));
  }

  /**
   * The last thing written of a job.
   *
   * @param images that are stored
   */
  void end(Ending how, List<ImageRecord> images) throws InterruptedException {
    switch (how) {
      case Ending.Succeed(int steps, OptionalLong deviceMs) -> {
        List<ImageRecord> inOrder =
            images.stream().sorted(Comparator.comparingInt(ImageRecord::index)).toList();
        append(new NewEvent(EventType.PROGRESS, job.times().toProgressJson(steps)));
        lostUnless(() -> store.finish(job.lease(), inOrder, deviceMs));
        clearCheckpoints();
      }
      case Ending.Fail(JobFailure failure, boolean goesOn) -> {
        if (!goesOn) {
          clearCheckpoints(); // Before the next attempt can read them.
        }
        lostUnless(() -> store.fail(job.lease(), failure).isPresent());
      }
      case Ending.Cancel() -> {
        lostUnless(() -> store.finishCanceled(job.lease()));
        clearCheckpoints();
      }
      case Ending.GiveBack(boolean preempted) ->
          lostUnless(() -> preempted ? store.preempt(job.lease()) : store.release(job.lease()));
      case Ending.Drop() -> LOG.info("Job {}: lease lost, result dropped", job.lease().jobId());
    }
  }

  /** Not where the lease was lost: they are of use to the attempt that has it now. */
  private void clearCheckpoints() {
    if (job.stop() != RunningJob.Stop.LOST) {
      checkpoints.clear();
    }
  }

  /** One write; false from it means that the lease is lost. */
  private void lostUnless(BooleanSupplier write) throws InterruptedException {
    long deadline = System.nanoTime() + WorkerConfig.HAND_IN_MAX.toNanos();
    long pauseMs = RETRY_MS_MIN;
    while (job.stop() != RunningJob.Stop.LOST) {
      try {
        if (!write.getAsBoolean()) {
          job.stop(RunningJob.Stop.LOST);
        }
        return;
      } catch (QueueException.Unavailable e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        LOG.warn("Job {}: store away, trying again: {}", job.lease().jobId(), e.getMessage());
        TimeUnit.MILLISECONDS.sleep(pauseMs);
        pauseMs = Math.min(RETRY_MS_MAX, pauseMs * 2);
      }
    }
  }
}
