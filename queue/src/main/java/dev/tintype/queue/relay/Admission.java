package dev.tintype.queue.relay;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.Backlog;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whether one more job can still be served within its tier's bound. Pure: it sees only its
 * arguments.
 *
 * <p>A tier's share of the GPUs is certain ({@link FairPolicy#shares}), so what waits in a tier is
 * done after at most {@code waiting / (share x GPUs)}. The rule admits a job while that is below
 * the second half of the tier's bound; the first half belongs to fairness, after which {@link
 * FairPolicy} goes by age. Together no admitted job waits longer than the bound, as long as the
 * capacity holds: {@code reserve} is the part of it that failures may take away.
 */
public final class Admission {
  /** Part of the capacity that is not counted on, unless somebody says otherwise. */
  public static final double RESERVE_DEFAULT = 0.2;

  /** The answer. */
  public sealed interface Decision {
    /**
     * @param predictedWait until the job starts, at most; usually less, since idle tiers lend
     */
    record Admit(Duration predictedWait) implements Decision {}

    /**
     * @param retryAfter until enough of what waits is done, at least a second
     */
    record Refuse(Duration predictedWait, Duration retryAfter) implements Decision {}
  }

  private record Lane(double weight, double share, Duration bound) {}

  private final Map<String, Lane> lanes = new LinkedHashMap<>();
  private final double reserve;

  /**
   * @param tiers the slowest first
   * @param reserve 0 up to 1: part of the capacity that is not counted on
   */
  public Admission(List<Tier> tiers, double reserve) {
    if (!(reserve >= 0 && reserve < 1)) {
      throw new QueueException.Invalid("admission.reserve", "The reserve is from 0 to below 1.");
    }
    Map<String, Double> shares = FairPolicy.shares(tiers);
    for (int i = 0; i < tiers.size(); i++) {
      Tier tier = tiers.get(i);
      lanes.put(
          tier.name(),
          new Lane(FairPolicy.weight(tiers, i), shares.get(tier.name()), tier.maxWait()));
    }
    this.reserve = reserve;
  }

  /**
   * Decides about one job.
   *
   * @param tier its tier
   * @param waitingMs estimated GPU-ms of what is queued in that tier already
   * @param costMs estimated GPU-ms of the job
   * @param gpus that serve its model now; 0 refuses
   */
  public Decision decide(String tier, long waitingMs, long costMs, double gpus) {
    Lane lane = lanes.get(tier);
    if (lane == null) {
      throw new QueueException.Invalid("admission.tier", "There is no tier " + tier + ".");
    }
    double limitMs = lane.bound().toMillis() * (1 - FairPolicy.URGENT_AFTER);
    double rate = gpus * lane.share() * (1 - reserve);
    if (rate <= 0) {
      return new Decision.Refuse(lane.bound(), lane.bound());
    }
    double waitMs = (waitingMs + costMs) / rate;
    Duration predicted = Duration.ofMillis(Math.round(Math.min(waitMs, Long.MAX_VALUE / 2.0)));
    // A job that alone is more than the limit is let in when nothing else waits: it harms nobody.
    if (waitMs <= limitMs || waitingMs == 0) {
      return new Decision.Admit(predicted);
    }
    long backMs = Math.max(1_000, Math.round(waitMs - limitMs));
    return new Decision.Refuse(predicted, Duration.ofMillis(backMs));
  }

  /** As {@link #decide(String, long, long, double)}, of what waits for those GPUs in any tier. */
  public Decision decide(String tier, List<Backlog> waiting, long costMs, double gpus) {
    return decide(tier, work(waiting).getOrDefault(tier, 0L), costMs, gpus);
  }

  /**
   * Until a new job of that tier starts, if nothing else comes, all GPUs stay, and its owner has no
   * other jobs: an estimate and no promise. The GPUs serve all tiers that have work at once, each
   * by its weight; when the tier's own work of B GPU-ms is done, another tier has had its own work,
   * or {@code B x weight / own weight} where it has more. What runs already is not counted.
   *
   * @param waiting for those GPUs, in any tier
   * @param gpus above 0
   */
  public Duration expectedWait(String tier, List<Backlog> waiting, double gpus) {
    Map<String, Long> work = work(waiting);
    long own = work.getOrDefault(tier, 0L);
    double weight = lanes.get(tier).weight();
    double ahead = 0;
    for (Map.Entry<String, Lane> lane : lanes.entrySet()) {
      long waits = work.getOrDefault(lane.getKey(), 0L);
      ahead += Math.min(waits, own * lane.getValue().weight() / weight);
    }
    return Duration.ofMillis(Math.round(ahead / gpus));
  }

  private static Map<String, Long> work(List<Backlog> waiting) {
    Map<String, Long> work = new HashMap<>();
    waiting.forEach(one -> work.merge(one.tier(), one.costMs(), Long::sum));
    return work;
  }
}
