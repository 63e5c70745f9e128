package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A class of service.
 *
 * @param name {@code free}, {@code standard}, {@code fast}, {@code pro}, {@code enterprise}
 * @param weight share of GPU time beside the other tiers with work to do, at least 1
 * @param maxWait the bound of waiting that is promised
 * @param runningMax most jobs of one user that run at a time
 * @param queuedMax most jobs of one user that are not at their end
 * @param retention how long finished jobs and pictures are kept
 * @param tierClass which lane of the transport its jobs travel in
 * @param fastGpuSeconds GPU time in mode fast that a user has in 30 days; empty: as much as he
 *     likes
 * @param pool the workers that its jobs go to, and only jobs of tiers that name the same pool;
 *     empty: the shared ones
 * @param spills whether its jobs may also go to the shared workers, when those of its pool are
 *     full; without a pool of no meaning, and false
 */
public record Tier(
    String name,
    int weight,
    Duration maxWait,
    int runningMax,
    int queuedMax,
    Duration retention,
    TierClass tierClass,
    OptionalLong fastGpuSeconds,
    Optional<String> pool,
    boolean spills) {
  /** The pool of all tiers and workers that name none. */
  public static final String SHARED = "shared";

  private static final String NAME = "[a-z0-9][a-z0-9_-]{0,31}";

  /** The longest bound that can be promised. */
  public static final Duration MAX_WAIT_MAX = Duration.ofDays(7);

  /** The longest that pictures are kept. */
  public static final Duration RETENTION_MAX = Duration.ofDays(36_500);

  /** The longest allowance: all of a GPU for 30 years. */
  public static final long FAST_GPU_SECONDS_MAX = 1_000_000_000;

  public Tier {
    pool = pool.filter(one -> !one.equals(SHARED));
    spills = spills && pool.isPresent();
    if (pool.isPresent() && !isPool(pool.get())) {
      throw new QueueException.Invalid(
          "account.tier_settings",
          "A pool has a name of 1 to 32 lower-case letters, digits, - and _, no - or _ first.");
    }
    if (!name.matches(NAME)
        || weight < 1
        || weight > 1_000
        || maxWait.toSeconds() < 1
        || maxWait.compareTo(MAX_WAIT_MAX) > 0
        || runningMax < 1
        || queuedMax < 1
        || retention.toSeconds() < 60
        || retention.compareTo(RETENTION_MAX) > 0
        || fastGpuSeconds.orElse(0) < 0
        || fastGpuSeconds.orElse(0) > FAST_GPU_SECONDS_MAX) {
      throw new QueueException.Invalid(
          "account.tier_settings",
          "A tier has a name of lower-case letters, digits, - and _, a weight of 1 to 1000, a bound"
              + " of 1 s to 7 days, limits of at least 1, and a retention of at least a minute.");
    }
  }

  /** Without a limit of mode fast. */
  public Tier(
      String name,
      int weight,
      Duration maxWait,
      int runningMax,
      int queuedMax,
      Duration retention,
      TierClass tierClass) {
    this(name, weight, maxWait, runningMax, queuedMax, retention, tierClass, OptionalLong.empty());
  }

  /** On the shared workers. */
  public Tier(
      String name,
      int weight,
      Duration maxWait,
      int runningMax,
      int queuedMax,
      Duration retention,
      TierClass tierClass,
      OptionalLong fastGpuSeconds) {
    this(
        name,
        weight,
        maxWait,
        runningMax,
        queuedMax,
        retention,
        tierClass,
        fastGpuSeconds,
        Optional.empty(),
        false);
  }

  /** The same tier on workers of its own. */
  public Tier inPool(String other, boolean spills) {
    return new Tier(
        name,
        weight,
        maxWait,
        runningMax,
        queuedMax,
        retention,
        tierClass,
        fastGpuSeconds,
        Optional.of(other),
        spills);
  }

  /** Whether that is a pool's name. */
  public static boolean isPool(String name) {
    return name.matches(NAME);
  }

  /** Where its jobs go first. */
  public String home() {
    return pool.orElse(SHARED);
  }

  /** Whether workers of that pool may have its jobs. */
  public boolean mayUse(String pool) {
    return pool.equals(home()) || spills && pool.equals(SHARED);
  }

  /** Those of the tiers whose jobs workers of that pool may have. */
  public static List<Tier> ofPool(List<Tier> tiers, String pool) {
    return tiers.stream().filter(tier -> tier.mayUse(pool)).toList();
  }

  /**
   * The one of users for whom nobody chose: {@code standard}, or the slowest where there is none.
   */
  public static Tier byDefault(List<Tier> tiers) {
    return tiers.stream()
        .filter(tier -> tier.name().equals("standard"))
        .findFirst()
        .or(() -> tiers.stream().max(Comparator.comparing(Tier::maxWait)))
        .orElseThrow(
            () -> new QueueException.Invalid("account.tiers", "There is at least one tier."));
  }

  /** The one with the shortest bound: that of the first user, who is the operator. */
  public static Tier fastest(List<Tier> tiers) {
    return tiers.stream()
        .min(Comparator.comparing(Tier::maxWait))
        .orElseThrow(
            () -> new QueueException.Invalid("account.tiers", "There is at least one tier."));
  }
}
