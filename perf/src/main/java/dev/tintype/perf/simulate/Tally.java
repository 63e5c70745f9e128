package dev.tintype.perf.simulate;

import dev.tintype.queue.job.JobState;
import dev.tintype.queue.relay.FairPolicy;
import dev.tintype.queue.store.Tier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/** Counts what happened, and looks for what must not happen. */
final class Tally {
  /** A user who asked less often says nothing about fairness. */
  private static final int ASKED_MIN = 10;

  private static final class User {
    final String tier;
    long jobs;
    long askedMs;
    long servedMs;

    User(String tier) {
      this.tier = tier;
    }
  }

  private final Scenario scenario;
  private final Map<String, User> users = new HashMap<>();
  private final Map<String, Long> refused = new LinkedHashMap<>();
  private long usefulMs;
  private long fenceBroken;

  Tally(Scenario scenario) {
    this.scenario = scenario;
  }

  void asked(Arrivals.Wish wish, boolean admitted) {
    if (!wish.relaxed()) {
      User user = users.computeIfAbsent(wish.user(), name -> new User(wish.tier().name()));
      user.jobs++;
      user.askedMs += wish.estimateMs();
    }
    if (!admitted) {
      refused.merge(wish.lane(), 1L, Long::sum);
    }
  }

  void started(VirtualJob job) {
    if (job.claimedUntilMs >= 0) {
      fenceBroken++; // A lease ends the claim.
    }
  }

  /**
   * @param took the store took the result
   * @param mine the lease was the present one when the result was handed in
   */
  void finished(VirtualJob job, boolean took, boolean mine) {
    if (took && !mine) {
      fenceBroken++;
    }
    if (took) {
      usefulMs += job.wish.trueMs();
      if (job.finishedMs <= scenario.endMs() && !job.wish.relaxed()) {
        users.get(job.wish.user()).servedMs += job.wish.estimateMs();
      }
    }
  }

  Outcome outcome(VirtualStore store, int wellMin) {
    Map<String, List<VirtualJob>> byLane = new HashMap<>();
    long lost = 0;
    long doubled = 0;
    long dead = 0;
    long untold = 0;
    long lastMs = scenario.endMs();
    for (VirtualJob job : store.all()) {
      byLane.computeIfAbsent(job.wish.lane(), lane -> new ArrayList<>()).add(job);
      boolean succeeded = job.state == JobState.SUCCEEDED;
      lost += job.state.terminal() ? 0 : 1;
      doubled += job.visible > 1 || job.visible > 0 != succeeded ? 1 : 0;
      dead += job.state == JobState.DEAD ? 1 : 0;
      untold += job.state == JobState.DEAD && job.failure.isEmpty() ? 1 : 0;
      lastMs = Math.max(lastMs, job.finishedMs);
    }
    List<Outcome.Lane> lanes = new ArrayList<>();
    for (Tier tier : Scenario.TIERS) {
      lanes.add(lane(tier, false, byLane));
    }
    if (scenario.relaxPart() > 0) {
      Scenario.TIERS.forEach(tier -> lanes.add(lane(tier, true, byLane)));
    }
    return new Outcome(
        scenario,
        store.all().size(),
        lost,
        doubled,
        fenceBroken + untold,
        dead,
        store.fenced,
        usefulMs / ((double) lastMs * scenario.gpus()),
        jain(),
        (double) wellMin / scenario.gpus(),
        lanes);
  }

  private Outcome.Lane lane(Tier tier, boolean relaxed, Map<String, List<VirtualJob>> byLane) {
    String name = Arrivals.Wish.lane(tier, relaxed);
    List<VirtualJob> jobs = byLane.getOrDefault(name, List.of());
    ToLongFunction<VirtualJob> wait = job -> job.firstLeaseMs - job.createdMs;
    long[] waits =
        jobs.stream().filter(job -> job.firstLeaseMs >= 0).mapToLong(wait).sorted().toArray();
    long boundMs = (relaxed ? FairPolicy.relaxBound(tier) : tier.maxWait()).toMillis();
    long late =
        jobs.stream()
            .filter(job -> job.firstLeaseMs >= 0 && !job.wakeUpLost)
            .filter(job -> wait.applyAsLong(job) > boundMs)
            .count();
    return new Outcome.Lane(
        name,
        jobs.size(),
        refused.getOrDefault(name, 0L),
        late,
        quantile(waits, 0.5),
        quantile(waits, 0.99),
        quantile(waits, 1),
        boundMs / 1e3);
  }

  /** Seconds. */
  private static double quantile(long[] sorted, double q) {
    if (sorted.length == 0) {
      return 0;
    }
    return sorted[(int) Math.min(sorted.length - 1, Math.floor(q * sorted.length))] / 1e3;
  }

  /**
   * Jain's index over the users of each tier, of the part of what they asked for, in mode relax
   * aside, that they got while jobs arrived; the mean over tiers, weighted by their users. 1 is
   * equal.
   */
  private double jain() {
    Map<String, double[]> sums = new HashMap<>();
    for (User user : users.values()) {
      if (user.jobs >= ASKED_MIN) {
        double part = (double) user.servedMs / user.askedMs;
        double[] sum = sums.computeIfAbsent(user.tier, tier -> new double[3]);
        sum[0]++;
        sum[1] += part;
        sum[2] += part * part;
      }
    }
    double weighted = 0;
    double count = 0;
    for (double[] sum : sums.values()) {
      weighted += sum[0] * (sum[2] == 0 ? 1 : sum[1] * sum[1] / (sum[0] * sum[2]));
      count += sum[0];
    }
    return count == 0 ? 1 : weighted / count;
  }
}
