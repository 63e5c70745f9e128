package dev.tintype.queue.relay;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
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
 * jobs go before all others, the one whose bound ends first in front (earliest deadline first, Liu
 * and Layland, 1973). {@link Admission} keeps the waiting work of a tier below what its share can
 * do in the other half, so urgent jobs are always served in time; docs/scheduling.md has the proof.
 *
 * <p>Not thread-safe; the relay's thread owns it.
 */
public final class FairPolicy implements OrderPolicy {
  /** Share of the slowest tier while it has work. */
  public static final double FLOOR_SHARE = 0.05;

  /** Part of a tier's bound after which a waiting job is urgent. */
  public static final double URGENT_AFTER = 0.5;

  /**
   * Users remembered by one tier. Those whose debt is paid are forgotten first, and forgetting them
   * changes nothing.
   */
  static final int USERS_MAX = 100_000;

  private final Map<String, TierQueue> tiers = new LinkedHashMap<>();
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
          .computeIfAbsent(all.get(i).name(), name -> new TierQueue())
          .set(weight(all, i), all.get(i).maxWait());
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

  @Override
  public List<ReadyJob> take(Collection<ReadyJob> heads, int room, Instant now) {
    Map<String, Map<String, Deque<Candidate>>> waiting = new LinkedHashMap<>();
    for (ReadyJob job : heads) {
      if (tiers.containsKey(job.tier())) {
        waiting
            .computeIfAbsent(job.tier(), tier -> new LinkedHashMap<>())
            .computeIfAbsent(job.userId(), user -> new ArrayDeque<>())
            .addLast(new Candidate(job, random.nextLong()));
      }
    }
    List<ReadyJob> taken = new ArrayList<>();
    while (taken.size() < room && !waiting.isEmpty()) {
      taken.add(takeOne(waiting, now));
    }
    return taken;
  }

  private ReadyJob takeOne(Map<String, Map<String, Deque<Candidate>>> waiting, Instant now) {
    String tierName =
        waiting.keySet().stream()
            .min(Comparator.comparingDouble(name -> tiers.get(name).start(virtualTime)))
            .orElseThrow();
    TierQueue tier = tiers.get(tierName);
    Map<String, Deque<Candidate>> users = waiting.get(tierName);
    Candidate next =
        users.values().stream().map(Deque::peekFirst).min(tier.order(now)).orElseThrow();
    Deque<Candidate> jobs = users.get(next.job().userId());
    jobs.removeFirst();
    if (jobs.isEmpty()) {
      users.remove(next.job().userId());
    }
    if (users.isEmpty()) {
      waiting.remove(tierName);
    }
    virtualTime = tier.start(virtualTime);
    tier.charge(next.job(), virtualTime);
    return next.job();
  }

  @Override
  public void refund(ReadyJob job) {
    Optional.ofNullable(tiers.get(job.tier())).ifPresent(tier -> tier.refund(job));
  }

  /** The draw is made once per look, so that the order of comparison does not matter. */
  private record Candidate(ReadyJob job, long draw) {}

  /** One tier: its pass, and the finish tags of its users. */
  private static final class TierQueue {
    private double weight;
    private Duration urgentAfter;
    private final Map<String, Double> finish = new HashMap<>();
    private double pass;
    private double userTime;

    void set(double weight, Duration maxWait) {
      this.weight = weight;
      this.urgentAfter = Duration.ofMillis(Math.round(maxWait.toMillis() * URGENT_AFTER));
    }

    /** When it was accepted, for a job that is urgent; for all others the end of time. */
    Instant urgency(ReadyJob job, Instant now) {
      return job.createdAt().plus(urgentAfter).isAfter(now) ? Instant.MAX : job.createdAt();
    }

    /** A tier that was idle starts now, and claims nothing for the past. */
    double start(double virtualTime) {
      return Math.max(pass, virtualTime);
    }

    double userStart(String userId) {
      return Math.max(userTime, finish.getOrDefault(userId, 0.0));
    }

    Comparator<Candidate> order(Instant now) {
      return Comparator.<Candidate, Instant>comparing(candidate -> urgency(candidate.job(), now))
          .thenComparingDouble(candidate -> userStart(candidate.job().userId()))
          .thenComparing(candidate -> candidate.job().deadline().orElse(Instant.MAX))
          .thenComparingLong(Candidate::draw);
    }

    void charge(ReadyJob job, double virtualTime) {
      pass = start(virtualTime) + job.costMs() / weight;
      userTime = userStart(job.userId());
      finish.put(job.userId(), userTime + job.costMs());
      if (finish.size() > USERS_MAX) {
        finish.values().removeIf(end -> end <= userTime);
      }
    }

    void refund(ReadyJob job) {
      pass -= job.costMs() / weight;
      finish.computeIfPresent(job.userId(), (user, end) -> end - job.costMs());
    }
  }
}
