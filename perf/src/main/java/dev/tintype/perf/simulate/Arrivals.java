package dev.tintype.perf.simulate;

import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.Tier;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Who asks for what and when: Poisson arrivals with bursts of one tier at a time, users of whom few
 * ask for most, and jobs of four sizes.
 */
final class Arrivals {
  /** Part of the jobs by tier, the slowest first. */
  private static final double[] MIX = {0.50, 0.25, 0.12, 0.09, 0.04};

  private static final double[] SIZES = {0.35, 0.35, 0.20, 0.10};
  private static final int[] STEPS = {10, 30, 60, 160};
  private static final long MS_PER_STEP = 100;
  private static final int USERS_PER_TIER = 400;
  private static final long BURST_MS = 60_000;
  private static final double BURSTS_PER_HOUR = 2;
  static final String MODEL = "plain";
  static final String SLOW_MODEL = "slow";
  private static final double SLOW_PART = 0.1;

  /** One job that somebody asks for. */
  record Wish(String user, Tier tier, JobMode mode, JobSpec spec, long estimateMs, long trueMs) {
    boolean relaxed() {
      return mode == JobMode.RELAX;
    }

    /** What an outcome counts together. */
    String lane() {
      return lane(tier, relaxed());
    }

    static String lane(Tier tier, boolean relaxed) {
      return relaxed ? tier.name() + " relax" : tier.name();
    }
  }

  private final Scenario scenario;
  private final List<Tier> tiers;
  private final SplittableRandom random;
  private final JobSpec[][] specs = new JobSpec[2][STEPS.length];
  private final String[][] users = new String[MIX.length][USERS_PER_TIER];
  private long burstUntilMs = -1;
  private int burstTier;

  Arrivals(Scenario scenario, SplittableRandom random) {
    this.scenario = scenario;
    this.tiers = scenario.tiers();
    this.random = random;
    for (int i = 0; i < STEPS.length; i++) {
      specs[0][i] = JobSpec.builder(MODEL, "x").steps(STEPS[i]).build();
      specs[1][i] = JobSpec.builder(SLOW_MODEL, "x").steps(STEPS[i]).build();
    }
    for (int t = 0; t < MIX.length; t++) {
      for (int u = 0; u < USERS_PER_TIER; u++) {
        users[t][u] = tiers.get(t).name() + "-" + u;
      }
    }
  }

  /** Milliseconds to the next wish. */
  double gapMs(long nowMs) {
    double perMs = scenario.rate() / 1000;
    if (nowMs < burstUntilMs) {
      // The burst is of one tier; what it adds comes on top of everybody's.
      perMs *= 1 + MIX[burstTier] * (scenario.faults().burstFactor() - 1);
    } else if (scenario.faults().burstFactor() > 1
        && random.nextDouble() < BURSTS_PER_HOUR / 3_600 / scenario.rate()) {
      burstUntilMs = nowMs + BURST_MS;
      burstTier = random.nextInt(MIX.length);
    }
    return -Math.log(1 - random.nextDouble()) / perMs;
  }

  Wish next(long nowMs) {
    int tier = nowMs < burstUntilMs && random.nextDouble() < burstPart() ? burstTier : pick(MIX);
    int size = pick(SIZES);
    int model = random.nextDouble() < SLOW_PART ? 1 : 0;
    double popularity = random.nextDouble();
    long estimate = STEPS[size] * MS_PER_STEP;
    double slower = model == 1 ? scenario.faults().slowFactor() : 1;
    long real = Math.max(1, Math.round(estimate * slower * (0.85 + 0.3 * random.nextDouble())));
    return new Wish(
        users[tier][(int) (popularity * popularity * USERS_PER_TIER)],
        tiers.get(tier),
        mode(),
        specs[model][size],
        estimate,
        real);
  }

  /** Draws nothing where nobody relaxes, so that the histories of seeds stay. */
  private JobMode mode() {
    return scenario.relaxPart() > 0 && random.nextDouble() < scenario.relaxPart()
        ? JobMode.RELAX
        : JobMode.NORMAL;
  }

  private double burstPart() {
    double extra = MIX[burstTier] * (scenario.faults().burstFactor() - 1);
    return extra / (1 + extra);
  }

  private int pick(double[] parts) {
    double left = random.nextDouble();
    for (int i = 0; i < parts.length - 1; i++) {
      left -= parts[i];
      if (left < 0) {
        return i;
      }
    }
    return parts.length - 1;
  }
}
