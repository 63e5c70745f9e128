package dev.tintype.worker;

import dev.tintype.worker.StepPolicy.Held;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a relaxed job go for an urgent one, where the worker took that beyond what it holds, or has
 * no latent left for it. For the loop's thread.
 */
final class MakingRoom {
  private static final Logger LOG = LoggerFactory.getLogger(MakingRoom.class);

  private final LoopJobs jobs;
  private final WorkerConfig config;

  MakingRoom(LoopJobs jobs, WorkerConfig config) {
    this.jobs = jobs;
    this.config = config;
  }

  /** Gives at most one job a reason to stop. */
  void preempt() {
    if (config.checkpointSteps() == 0) {
      return; // It would lose what it takes away.
    }
    boolean noSeat = jobs.size() > config.jobsMax();
    boolean noLatent = jobs.latents() >= config.samplesMax();
    boolean urgentWaits = jobs.stream().anyMatch(job -> job.urgent() && job.samples().isEmpty());
    if (!urgentWaits || !(noSeat || noLatent)) {
      return;
    }
    // A job that has no latent frees none by going.
    List<Held> held =
        jobs.stream()
            .filter(job -> job.stop() == null && (noSeat || !job.samples().isEmpty()))
            .map(RunningJob::held)
            .toList();
    StepPolicy.toPreempt(held)
        .ifPresent(
            chosen -> {
              LOG.info("Job {} makes room for a more urgent one", chosen.job());
              jobs.stream()
                  .filter(job -> job.lease().jobId().equals(chosen.job()))
                  .forEach(job -> job.stop(RunningJob.Stop.PREEMPT));
            });
  }
}
