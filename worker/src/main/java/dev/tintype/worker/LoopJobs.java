package dev.tintype.worker;

import dev.tintype.queue.job.JobId;
import dev.tintype.worker.RunningJob.Sample;
import dev.tintype.worker.engine.EngineFault;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The jobs in the loop, the urgent first and else by age, and the ways out of it. Who leaves has
 * given back its latents and told its scribe the ending. For the loop's thread.
 */
final class LoopJobs {
  private static final Logger LOG = LoggerFactory.getLogger(LoopJobs.class);

  /**
   * Jobs whose calls failed on the device, without a good call between them, that mean that it is
   * lost. Jobs are counted, not calls: one poisonous job is tried again until it is dead, and must
   * not end an idle server.
   */
  static final int FAILED_JOBS_MAX = 5;

  private final boolean checkpointing;
  private final List<RunningJob> jobs = new ArrayList<>();
  private final Set<JobId> failed = new HashSet<>();

  /**
   * @param checkpointing whether what is given back is written down before
   */
  LoopJobs(boolean checkpointing) {
    this.checkpointing = checkpointing;
  }

  void add(RunningJob job) {
    jobs.add(job);
    // Stable: within a class the oldest stay first, and are admitted first.
    jobs.sort(Comparator.comparing(other -> !other.urgent()));
  }

  boolean isEmpty() {
    return jobs.isEmpty();
  }

  int size() {
    return jobs.size();
  }

  /** As they are now; they may leave meanwhile. */
  List<RunningJob> all() {
    return List.copyOf(jobs);
  }

  /** Whether it is here, and goes on. */
  boolean goesOn(RunningJob job) {
    return job.stop() == null && jobs.contains(job);
  }

  /** All pictures in the making. */
  List<Sample> samples() {
    return jobs.stream().flatMap(job -> job.samples().stream()).toList();
  }

  /** How many pictures are in the making, each holding a latent. */
  int latents() {
    return jobs.stream().mapToInt(job -> job.samples().size()).sum();
  }

  Set<String> models() {
    return jobs.stream().map(job -> job.spec().model()).collect(Collectors.toSet());
  }

  Stream<RunningJob> stream() {
    return jobs.stream();
  }

  /** Takes out those that have a reason to stop. */
  void removeStopped() {
    jobs.removeIf(this::stopped);
  }

  private boolean stopped(RunningJob job) {
    RunningJob.Stop reason = job.stop();
    if (reason == null) {
      return false;
    }
    leave(job, reason.handsOn());
    job.scribe()
        .end(
            switch (reason) {
              case CANCEL -> new Ending.Cancel();
              case GIVE_BACK -> new Ending.GiveBack(false);
              case PREEMPT -> new Ending.GiveBack(true);
              // The scribe has its own ending already, and the first one counts.
              case FAILED, LOST -> new Ending.Drop();
            });
    return true;
  }

  private void leave(RunningJob job, boolean handsOn) {
    if (handsOn && checkpointing) {
      job.samples().forEach(job::checkpoint);
    }
    job.closeSamples();
  }

  /** All its pictures are painted. */
  void succeed(RunningJob job) {
    OptionalLong took = job.goesOn() ? OptionalLong.empty() : OptionalLong.of(job.deviceMs());
    job.scribe().end(new Ending.Succeed(job.stepsInAll(), took));
    jobs.remove(job);
  }

  /**
   * Ends one job with the error's words; throws it on where the device is lost. A job for which the
   * device had no memory loses no step: the next attempt goes on where it was.
   */
  void fail(RunningJob job, RuntimeException error) {
    EngineFault fault = EngineFault.of(error);
    if (fault == EngineFault.CALL) {
      failed.add(job.lease().jobId());
    }
    if (fault == EngineFault.DEVICE || failed.size() >= FAILED_JOBS_MAX) {
      throw error;
    }
    if (fault == EngineFault.DEFECT) {
      LOG.error("Job {}: the engine met a defect", job.lease().jobId(), error);
    } else {
      LOG.warn("Job {}: {}", job.lease().jobId(), error.getMessage());
    }
    boolean handsOn = fault == EngineFault.MEMORY;
    leave(job, handsOn);
    job.scribe().end(new Ending.Fail(EngineFault.failure(error), handsOn));
    jobs.remove(job);
  }

  /** A step went well: the device is there. */
  void deviceWorks() {
    failed.clear();
  }

  /** Gives all back without touching the engine, which is lost or closed. */
  void abandon() {
    jobs.forEach(job -> job.scribe().end(new Ending.GiveBack(false)));
    jobs.clear();
  }
}
