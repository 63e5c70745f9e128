package dev.tintype.queue.relay;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.relay.UserTurns.Candidate;
import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Who is next, in estimated GPU-ms. Pure: no clock of its own, no input or output; the same calls
 * with the same seed give the same order.
 *
 * <p>Between tiers: stride scheduling (Waldspurger and Weihl, 1995). Each tier has a pass, the work
 * it was given divided by its weight; the smallest pass is next. Within a tier, between users:
 * start-time fair queueing (Goyal, Vin and Cheng, 1997). A user's job starts at S = max(V, F),
 * where F is the end of the user's job before it and V the start of the job served last; its end is
 * S + cost; the smallest start is next. So a user who was idle gains nothing by it, a user with one
 * small job does not wait behind the thousand jobs of another, and a huge job puts off only its
 * owner. Equal starts: the earlier deadline, then a draw.
 *
 * <p>The slowest tier has a floor: at least {@link #FLOOR_SHARE} of the GPU time however many
 * faster tiers have work.
 *
 * <p>Nobody waits past the tier's bound: a job that has waited for half of it is urgent. Urgent
 * jobs go before all others of their lane, the one whose bound ends first in front (earliest
 * deadline first, Liu and Layland, 1973). {@link Admission} keeps the waiting work of a lane below
 * what its share can do in the other half, so urgent jobs are always served in time;
 * docs/scheduling.md has the proof.
 *
 * <p>A tier has two lanes. Jobs in mode relax are in the background lane, which has {@link
 * #RELAX_SHARE} of the tier's time while the first lane has work, all of it otherwise, and a bound
 * that is {@link #RELAX_BOUND} times as long. Jobs in mode fast go before other jobs of their own
 * user that are not urgent.
 *
 * <p>Not thread-safe; the relay's thread owns it.
 */
public final class FairPolicy implements OrderPolicy {
  /** Share of the slowest tier while it has work. */
  public static final double FLOOR_SHARE = 0.05;

  /** Part of a tier's bound after which a waiting job is urgent. */
  public static final double URGENT_AFTER = 0.5;

  /** Share of a tier's time that its background lane has while the first lane has work. */
  public static final double RELAX_SHARE = 0.1;

  /**
   * How many times longer the background lane's bound is: as the inverse of its share, so that
   * about as much work may wait in it as in the first lane.
   */
  public static final int RELAX_BOUND = 10;

  /**
   * Users remembered by one lane. Those whose debt is paid are forgotten first, and forgetting them
   * changes nothing.
   */
  static final int USERS_MAX = 100_000;

  private final Map<String, TierTurns> tiers = new LinkedHashMap<>();
  private final RandomGenerator random;
  private double virtualTime;

  /**
   * @param tiers the slowest first
   * @param random for draws between equals
   */
  public FairPolicy(List<Tier> tiers, RandomGenerator random) {
    this.random = random;
    tiers(tiers);
  }

  @Override
  public void tiers(List<Tier> all) {
    if (all.isEmpty()) {
      throw new QueueException.Invalid("relay.tiers", "There is at least one tier.");
    }
    tiers.keySet().retainAll(all.stream().map(Tier::name).toList());
    for (int i = 0; i < all.size(); i++) {
      tiers
          .computeIfAbsent(all.get(i).name(), name -> new TierTurns())
          .settings(all.get(i), weight(all, i));
    }
  }

  /** The weight of a tier, raised to the floor for the slowest. */
  static double weight(List<Tier> tiers, int index) {
    double own = tiers.get(index).weight();
    int others = tiers.stream().skip(1).mapToInt(Tier::weight).sum();
    return index > 0 ? own : Math.max(own, others * FLOOR_SHARE / (1 - FLOOR_SHARE));
  }

  /**
   * The part of the GPU time that each tier has while all have work; together 1.
   *
   * @param tiers the slowest first
   */
  public static Map<String, Double> shares(List<Tier> tiers) {
    double sum = 0;
    for (int i = 0; i < tiers.size(); i++) {
      sum += weight(tiers, i);
    }
    Map<String, Double> shares = new LinkedHashMap<>();
    for (int i = 0; i < tiers.size(); i++) {
      shares.put(tiers.get(i).name(), weight(tiers, i) / sum);
    }
    return shares;
  }

  /** The bound of waiting in mode relax. */
  public static Duration relaxBound(Tier tier) {
    return tier.maxWait().multipliedBy(RELAX_BOUND);
  }

  @Override
  public List<ReadyJob> take(Collection<ReadyJob> heads, int room, Instant now) {
    Map<String, List<Candidate>> byTier = new LinkedHashMap<>();
    for (ReadyJob job : heads) {
      if (tiers.containsKey(job.tier())) {
        byTier
            .computeIfAbsent(job.tier(), tier -> new ArrayList<>())
            .add(new Candidate(job, random.nextLong()));
      }
    }
    List<TierTurns> waiting = new ArrayList<>();
    byTier.forEach(
        (name, jobs) -> {
          TierTurns tier = tiers.get(name);
          tier.look(jobs, now);
          waiting.add(tier);
        });
    List<ReadyJob> taken = new ArrayList<>();
    while (taken.size() < room && !waiting.isEmpty()) {
      TierTurns tier =
          waiting.stream()
              .min(Comparator.comparingDouble(one -> one.start(virtualTime)))
              .orElseThrow();
      virtualTime = tier.start(virtualTime);
      taken.add(tier.take(now, virtualTime));
      if (tier.isEmpty()) {
        waiting.remove(tier);
      }
    }
    return taken;
  }

  @Override
  public void refund(ReadyJob job) {
    Optional.ofNullable(tiers.get(job.tier())).ifPresent(tier -> tier.refund(job));
  }
}
