package dev.tintype.worker;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Decides which samples take the next step. Pure: it sees only its arguments, so that it runs under
 * simulation.
 *
 * <p>The order of admission decides: the relay already chose it late and fairly. The oldest sample
 * leads, and others of its bucket fill the batch, oldest first. So the oldest always gains a step,
 * every sample ends after at most as many ticks as the steps admitted before it plus its own, and
 * the mean time to a picture is the least that a single device can give to jobs of one length.
 */
public final class StepPolicy {
  /** What must agree for two samples to share a call of the network. */
  public record Bucket(String model, int width, int height) {}

  /**
   * A sample as the policy sees it.
   *
   * @param admission number of its admission, growing
   */
  public record Candidate(long admission, Bucket bucket) {}

  private StepPolicy() {}

  /** The samples of the next tick: at most {@code batchMax}, all of one bucket; empty for none. */
  public static List<Candidate> pick(List<Candidate> running, int batchMax) {
    List<Candidate> order = new ArrayList<>(running);
    order.sort(Comparator.comparingLong(Candidate::admission));
    if (order.isEmpty()) {
      return List.of();
    }
    Bucket lead = order.getFirst().bucket();
    return order.stream().filter(c -> c.bucket().equals(lead)).limit(batchMax).toList();
  }

  /** Half of a batch that did not fit the device's memory, at least one. */
  public static int halved(int batchMax) {
    return Math.max(1, batchMax / 2);
  }
}
