package dev.tintype.queue.relay;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.Backlog;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * Whether one more job can still be served within its tier's bound. Pure: it sees only its
 * arguments.
 *
 * <p>A lane's share of the GPUs is certain ({@link FairPolicy#shares}, of which the background lane
 * has {@link FairPolicy#RELAX_SHARE} and the first lane the rest), so what waits in a lane is done
 * after at most {@code waiting / (share x GPUs)}. The rule admits a job while that is below the
 * second half of the lane's bound; the first half belongs to fairness, after which {@link
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

  /**
   * @param weight among tiers of its pool
   * @param shares of the GPUs of each pool that it may use
   * @param bound of the tier's first lane
   * @param relaxBound of its background lane
   */
  private record Known(
      double weight, Map<String, Double> shares, Duration bound, Duration relaxBound) {
    /** GPUs that are its own for certain, at least. */
    double certain(ToDoubleFunction<String> gpus) {
      return shares.entrySet().stream()
          .mapToDouble(pool -> pool.getValue() * gpus.applyAsDouble(pool.getKey()))
          .sum();
    }

    /** GPUs that it may use. */
    double all(ToDoubleFunction<String> gpus) {
      return shares.keySet().stream().mapToDouble(gpus).sum();
    }

    boolean meets(Known other) {
      return shares.keySet().stream().anyMatch(other.shares::containsKey);
    }
  }

  private final Map<String, Known> tiers = new LinkedHashMap<>();
  private final double reserve;

  /**
   * @param all tiers, the slowest first
   * @param reserve 0 up to 1: part of the capacity that is not counted on
   */
  public Admission(List<Tier> all, double reserve) {
    if (!(reserve >= 0 && reserve < 1)) {
      throw new QueueException.Invalid("admission.reserve", "The reserve is from 0 to below 1.");
    }
    for (Tier tier : all) {
      List<Tier> beside = Tier.ofPool(all, tier.home());
      Map<String, Double> shares = new TreeMap<>();
      shares.put(tier.home(), FairPolicy.shares(beside).get(tier.name()));
      if (tier.spills()) {
        List<Tier> shared = Tier.ofPool(all, Tier.SHARED);
        shares.put(Tier.SHARED, FairPolicy.shares(shared).get(tier.name()));
      }
      tiers.put(
          tier.name(),
          new Known(
              FairPolicy.weight(beside, beside.indexOf(tier)),
              shares,
              tier.maxWait(),
              FairPolicy.relaxBound(tier)));
    }
    this.reserve = reserve;
  }

  /**
   * Decides about one job.
   *
   * @param tier its tier
   * @param relaxed whether it is in the tier's background lane
   * @param waitingMs estimated GPU-ms of what is queued in that lane already
   * @param costMs estimated GPU-ms of the job
   * @param gpus that serve its model now, by pool; where it may use none it is refused
   */
  public Decision decide(
      String tier, boolean relaxed, long waitingMs, long costMs, ToDoubleFunction<String> gpus) {
    Known known = known(tier);
    Duration bound = relaxed ? known.relaxBound() : known.bound();
    double part = relaxed ? FairPolicy.RELAX_SHARE : 1 - FairPolicy.RELAX_SHARE;
    double limitMs = bound.toMillis() * (1 - FairPolicy.URGENT_AFTER);
    double rate = known.certain(gpus) * part * (1 - reserve);
    if (rate <= 0) {
      return new Decision.Refuse(bound, bound);
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

  private Known known(String tier) {
    return Optional.ofNullable(tiers.get(tier))
        .orElseThrow(
            () -> new QueueException.Invalid("admission.tier", "There is no tier " + tier + "."));
  }

  /** Where all have the same GPUs. */
  public Decision decide(String tier, boolean relaxed, long waitingMs, long costMs, double gpus) {
    return decide(tier, relaxed, waitingMs, costMs, pool -> gpus);
  }

  /** As the first, of what waits for those GPUs in any tier. */
  public Decision decide(
      String tier,
      boolean relaxed,
      List<Backlog> waiting,
      long costMs,
      ToDoubleFunction<String> gpus) {
    return decide(tier, relaxed, work(waiting, tier, relaxed), costMs, gpus);
  }

  /**
   * Until a new job starts, if nothing else comes, all GPUs stay, and its owner has no other jobs:
   * an estimate and no promise. The GPUs serve all lanes that have work at once, each by its
   * weight; when the job's own lane is done with W GPU-ms, another has done its own work, or {@code
   * W x weight / own weight} where it has more. What runs already is not counted.
   *
   * @param waiting for those GPUs, in any tier
   * @param gpus by pool; of those that the tier may use at least one is above 0
   */
  public Duration expectedWait(
      String tier, boolean relaxed, List<Backlog> waiting, ToDoubleFunction<String> gpus) {
    double part = relaxed ? FairPolicy.RELAX_SHARE : 1 - FairPolicy.RELAX_SHARE;
    long own = work(waiting, tier, relaxed);
    double ofTier = own + Math.min(work(waiting, tier, !relaxed), own * (1 - part) / part);
    Known known = known(tier);
    double ahead = ofTier;
    for (Map.Entry<String, Known> other : tiers.entrySet()) {
      if (!other.getKey().equals(tier) && known.meets(other.getValue())) {
        long waits = work(waiting, other.getKey(), true) + work(waiting, other.getKey(), false);
        ahead += Math.min(waits, ofTier * other.getValue().weight() / known.weight());
      }
    }
    return Duration.ofMillis(Math.round(ahead / known.all(gpus)));
  }

  private static long work(List<Backlog> waiting, String tier, boolean relaxed) {
    return waiting.stream()
        .filter(one -> one.tier().equals(tier) && one.relaxed() == relaxed)
        .mapToLong(Backlog::costMs)
        .sum();
  }
}
