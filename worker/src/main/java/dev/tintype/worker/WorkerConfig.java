package dev.tintype.worker;

import java.time.Duration;

/**
 * How a worker behaves. Validated when made.
 *
 * @param workerId shown to admins and in events; 1..200 characters
 * @param leaseTime how long a crashed worker's job waits before another takes it; renewed at a
 *     third of it. Default 15 s; shorter costs more heartbeats, longer makes a crash hurt longer
 * @param jobsMax jobs held at a time, leased and not yet handed in. Default 4
 * @param samplesMax pictures in the making at a time, each holding one latent. Default 8
 * @param batchMax pictures stepped together in one tick; 0 takes the device's own figure
 * @param progressEvery the shortest time between two progress events of one job. Default 40 ms, so
 *     that a fast device does not fill the log
 * @param checkpointSteps how many steps a lost worker may cost at most: so often a picture in the
 *     making is checkpointed, where it takes more than twice as many. 0: never. Default 10, which
 *     costs one download of the latent (64 KiB at 512 x 512) each time
 * @param handBackMax longest wait for the blob store when a job is given back, by a drain or for a
 *     more urgent one: its finished pictures are stored before, so that nobody paints them again.
 *     Default 5 s; so much may a drain take beyond its own time
 */
public record WorkerConfig(
    String workerId,
    Duration leaseTime,
    int jobsMax,
    int samplesMax,
    int batchMax,
    Duration progressEvery,
    int checkpointSteps,
    Duration handBackMax) {
  /** Longest wait for the last events and pictures of a job to reach the store. */
  public static final Duration HAND_IN_MAX = Duration.ofSeconds(60);

  /**
   * Longest wait for the blob store to take a finished picture, while the lease is renewed: an
   * outage of S3 costs no attempt until then. Longer holds a device's places for nothing.
   */
  public static final Duration STORE_WAIT_MAX = Duration.ofMinutes(10);

  private static final int CHECKPOINT_STEPS_MAX = 1_000;

  public WorkerConfig {
    check(workerId != null && !workerId.isBlank() && workerId.length() <= 200, "workerId");
    check(leaseTime.toMillis() >= 1_000 && leaseTime.toMinutes() <= 10, "leaseTime (1 s..10 min)");
    check(jobsMax >= 1 && jobsMax <= 256, "jobsMax (1..256)");
    check(samplesMax >= 1 && samplesMax <= 256, "samplesMax (1..256)");
    check(batchMax >= 0 && batchMax <= 64, "batchMax (0..64)");
    check(
        checkpointSteps >= 0 && checkpointSteps <= CHECKPOINT_STEPS_MAX,
        "checkpointSteps (0.." + CHECKPOINT_STEPS_MAX + ")");
    check(!handBackMax.isNegative() && handBackMax.toSeconds() <= 60, "handBackMax (0..60 s)");
    check(
        !progressEvery.isNegative() && progressEvery.toSeconds() <= 10, "progressEvery (0..10 s)");
  }

  /** The defaults under that id. */
  public static WorkerConfig defaults(String workerId) {
    return new WorkerConfig(
        workerId,
        Duration.ofSeconds(15),
        4,
        8,
        0,
        Duration.ofMillis(40),
        10,
        Duration.ofSeconds(5));
  }

  public WorkerConfig withBatchMax(int max) {
    return new WorkerConfig(
        workerId, leaseTime, jobsMax, samplesMax, max, progressEvery, checkpointSteps, handBackMax);
  }

  public WorkerConfig withJobsMax(int max) {
    return new WorkerConfig(
        workerId,
        leaseTime,
        max,
        samplesMax,
        batchMax,
        progressEvery,
        checkpointSteps,
        handBackMax);
  }

  public WorkerConfig withLeaseTime(Duration time) {
    return new WorkerConfig(
        workerId, time, jobsMax, samplesMax, batchMax, progressEvery, checkpointSteps, handBackMax);
  }

  public WorkerConfig withCheckpointSteps(int steps) {
    return new WorkerConfig(
        workerId, leaseTime, jobsMax, samplesMax, batchMax, progressEvery, steps, handBackMax);
  }

  public WorkerConfig withHandBackMax(Duration time) {
    return new WorkerConfig(
        workerId, leaseTime, jobsMax, samplesMax, batchMax, progressEvery, checkpointSteps, time);
  }

  /** Whether a picture of so many steps is to be checkpointed after that step. */
  boolean checkpointDue(int step, int steps) {
    return checkpointSteps > 0
        && steps > 2 * checkpointSteps
        && step < steps
        && step % checkpointSteps == 0;
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new WorkerException.Config(
          "worker.config", "The worker's setting " + what + " is out of range.");
    }
  }
}
