package dev.tintype.perf.simulate;

import dev.tintype.queue.relay.Admission;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What is simulated.
 *
 * @param seed decides everything that is drawn
 * @param hours of arrivals; what is left then is drained
 * @param gpus workers, one job at a time each
 * @param rate jobs a second on average, over all tiers, bursts aside
 * @param faults how rough the world is
 * @param order who is next
 * @param relaxPart part of the jobs in mode relax
 * @param pool GPUs that are one tier's own
 */
record Scenario(
    long seed,
    double hours,
    int gpus,
    double rate,
    Faults faults,
    Order order,
    double relaxPart,
    Optional<Pool> pool) {
  /**
   * A dedicated pool.
   *
   * @param tier whose jobs go there, and no others
   * @param gpus of all, at least one and not all of them
   * @param spills whether its jobs may also go to the shared GPUs
   */
  record Pool(String tier, int gpus, boolean spills) {
    /** Its name; there is one. */
    static final String NAME = "own";

    /**
     * {@code TIER=GPUS} or {@code TIER=GPUS+}, where it spills.
     *
     * @throws IllegalArgumentException for anything else
     */
    static Pool parse(String text) {
      if (!text.matches("[a-z]+=[0-9]{1,6}\\+?")) {
        throw new IllegalArgumentException(
            "--pool is TIER=GPUS, such as enterprise=50; with a + at its end the tier may use the"
                + " shared GPUs too");
      }
      String[] parts = text.replace("+", "").split("=");
      return new Pool(parts[0], Integer.parseInt(parts[1]), text.endsWith("+"));
    }
  }

  /** Bound of GPUs and of jobs in one run, so that it fits the memory. */
  static final int GPUS_MAX = 20_000;

  static final long JOBS_MAX = 20_000_000;

  /** Mean GPU time of a job: see {@link Arrivals}. */
  static final double MEAN_COST_MS = 4_200;

  /** The tiers of a new installation; the limits per user are out of the way here. */
  static final List<Tier> TIERS =
      List.of(
          tier("free", 1, 3600, TierClass.RELAXED),
          tier("standard", 4, 900, TierClass.NORMAL),
          tier("fast", 8, 300, TierClass.PRIORITY),
          tier("pro", 16, 120, TierClass.PRIORITY),
          tier("enterprise", 32, 60, TierClass.PRIORITY));

  /** Part of the capacity that admission does not count on. */
  static final double RESERVE = Admission.RESERVE_DEFAULT;

  /** Who is next: ours, or what others do. */
  enum Order {
    FAIR,
    FIFO,
    STRICT
  }

  /**
   * How often what goes wrong.
   *
   * @param crashesPerGpuHour a worker dies in the middle, and comes back after some minutes
   * @param pausesPerGpuHour a worker is silent for longer than its lease, then goes on as if
   *     nothing had been
   * @param lostDeliveries part of the wake-ups that vanish
   * @param doubledDeliveries part of the wake-ups that come twice
   * @param errors part of the attempts that end in an error
   * @param burstFactor arrivals during a burst, times the mean
   * @param slowFactor time that a model takes which the estimate does not know
   * @param skewMs how wrong the relay's clock is, either way
   */
  record Faults(
      double crashesPerGpuHour,
      double pausesPerGpuHour,
      double lostDeliveries,
      double doubledDeliveries,
      double errors,
      double burstFactor,
      double slowFactor,
      long skewMs) {
    static final Faults USUAL = new Faults(0.02, 0.01, 0.0005, 0.001, 0.001, 20, 1.3, 2_000);
    static final Faults NONE = new Faults(0, 0, 0, 0, 0, 1, 1, 0);
    static final Faults ROUGH = new Faults(4, 3, 0.02, 0.05, 0.02, 20, 2, 5_000);
  }

  /** Without jobs in mode relax. */
  Scenario(long seed, double hours, int gpus, double rate, Faults faults, Order order) {
    this(seed, hours, gpus, rate, faults, order, 0, Optional.empty());
  }

  Scenario {
    if (!(hours > 0 && hours <= 1000)) {
      throw new IllegalArgumentException("--hours is above 0 and at most 1000");
    }
    if (gpus < 1 || gpus > GPUS_MAX) {
      throw new IllegalArgumentException("--gpus is from 1 to " + GPUS_MAX);
    }
    if (!(rate > 0) || rate * hours * 3600 > JOBS_MAX) {
      throw new IllegalArgumentException(
          "--rate is above 0, and rate x hours makes at most " + JOBS_MAX + " jobs");
    }
    if (!(relaxPart >= 0 && relaxPart <= 1)) {
      throw new IllegalArgumentException("--relax is from 0 to 1");
    }
    if (pool.isPresent() && (pool.get().gpus() < 1 || pool.get().gpus() >= gpus)) {
      throw new IllegalArgumentException("--pool has at least one GPU, and not all of them");
    }
    if (pool.isPresent() && TIERS.stream().noneMatch(t -> t.name().equals(pool.get().tier()))) {
      throw new IllegalArgumentException(
          "--pool names one of free, standard, fast, pro, enterprise");
    }
  }

  /** The tiers, with the pool. */
  List<Tier> tiers() {
    return TIERS.stream()
        .map(
            tier ->
                pool.filter(own -> own.tier().equals(tier.name()))
                    .map(own -> tier.inPool(Pool.NAME, own.spills()))
                    .orElse(tier))
        .toList();
  }

  /** GPUs by pool. */
  Map<String, Integer> gpusByPool() {
    return pool.isEmpty()
        ? Map.of(Tier.SHARED, gpus)
        : new TreeMap<>(
            Map.of(Pool.NAME, pool.get().gpus(), Tier.SHARED, gpus - pool.get().gpus()));
  }

  long endMs() {
    return Math.round(hours * 3_600_000);
  }

  Scenario withOrder(Order other) {
    return new Scenario(seed, hours, gpus, rate, faults, other, relaxPart, pool);
  }

  private static Tier tier(String name, int weight, int boundS, TierClass lane) {
    return new Tier(
        name,
        weight,
        Duration.ofSeconds(boundS),
        Integer.MAX_VALUE / 2,
        Integer.MAX_VALUE / 2,
        Duration.ofDays(1),
        lane);
  }
}
