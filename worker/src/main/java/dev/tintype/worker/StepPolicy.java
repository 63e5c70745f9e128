package dev.tintype.worker;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.queue.store.TierClass;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Decides which samples take the next step, and which job makes room for a more urgent one. Pure:
 * it sees only its arguments, so that it runs under simulation.
 *
 * <p>Among samples of one urgency the order of admission decides: the relay already chose it late
 * and fairly. One leads, and others of its bucket fill the batch. Urgent samples go first, but
 * every {@value #OLDEST_EVERY}th tick is led by the oldest sample whatever its class. So every
 * sample ends after at most {@value #OLDEST_EVERY} times as many ticks as the steps admitted before
 * it plus its own; where nothing is urgent, after at most as many.
 */
public final class StepPolicy {
  /** What must agree for two samples to share a call of the network. */
  public record Bucket(String model, int width, int height) {}

  /**
   * A sample as the policy sees it.
   *
   * @param admission number of its admission, growing
   * @param urgent whether its job is of class {@link TierClass#PRIORITY}
   */
  public record Candidate(long admission, Bucket bucket, boolean urgent) {}

  /**
   * A job in the making.
   *
   * @param preemptions how often it has made room already
   * @param stepsLeft of all its pictures
   * @param heldMs since this worker took it
   */
  public record Held(JobId job, TierClass tierClass, int preemptions, int stepsLeft, long heldMs) {}

  /** The share of the ticks that no urgency takes from the oldest: one of so many. */
  public static final int OLDEST_EVERY = 8;

  /** How often a job makes room; then it stays to its end. */
  public static final int PREEMPTIONS_MAX = LeaseStore.PREEMPTIONS_MAX;

  /** A job stays at least as long, so that taking it up again was worth it. */
  public static final long PREEMPT_HELD_MS_MIN = 2_000;

  /** A job with fewer steps left makes room by itself, soon. */
  public static final int PREEMPT_STEPS_LEFT_MIN = 5;

  private StepPolicy() {}

  /**
   * The samples of the next tick: at most {@code batchMax}, all of one bucket; empty for none.
   *
   * @param tick number of the tick, growing by one
   */
  public static List<Candidate> pick(List<Candidate> running, int batchMax, long tick) {
    List<Candidate> order = new ArrayList<>(running);
    Comparator<Candidate> byAge = Comparator.comparingLong(Candidate::admission);
    order.sort(
        tick % OLDEST_EVERY == 0
            ? byAge
            : Comparator.comparing((Candidate c) -> !c.urgent()).thenComparing(byAge));
    if (order.isEmpty()) {
      return List.of();
    }
    Bucket lead = order.getFirst().bucket();
    return order.stream().filter(c -> c.bucket().equals(lead)).limit(batchMax).toList();
  }

  /** Whether a job may make room: of the relaxed class, not too often yet, and not at once. */
  public static boolean preemptible(Held job) {
    return job.tierClass() == TierClass.RELAXED
        && job.preemptions() < PREEMPTIONS_MAX
        && job.heldMs() >= PREEMPT_HELD_MS_MIN
        && job.stepsLeft() >= PREEMPT_STEPS_LEFT_MIN;
  }

  /**
   * The job that makes room for one of class {@link TierClass#PRIORITY}: the youngest that may, as
   * the older ones have waited longer for their end.
   *
   * @param held the oldest first
   */
  public static Optional<Held> toPreempt(List<Held> held) {
    return held.reversed().stream().filter(StepPolicy::preemptible).findFirst();
  }

  /** Half of a batch that did not fit the device's memory, at least one. */
  public static int halved(int batchMax) {
    return Math.max(1, batchMax / 2);
  }
}
