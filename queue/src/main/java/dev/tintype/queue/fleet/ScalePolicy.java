package dev.tintype.queue.fleet;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.QueueLoad;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How many workers each model wants in each pool: as many as take its open work, done by all of
 * them at once, below the target wait. Pure; what starts and stops machines asks for it.
 *
 * @param min of each model, kept warm whatever waits; 0 to 10,000, default 1
 * @param max of each model; {@code min} to 10,000, default 100
 * @param targetWait how long the work that is there now may take, 1 s to 1 day; default 60 s.
 *     Shorter costs more machines
 * @param spotShare part of those above {@code min} that may be machines which can be taken away at
 *     any time (their jobs go on elsewhere), 0 to 1; default 0
 */
public record ScalePolicy(int min, int max, Duration targetWait, double spotShare) {
  public static final int WORKERS_MAX = 10_000;

  private static final double MS_PER_S = 1e3;

  public static final ScalePolicy DEFAULT = new ScalePolicy(1, 100, Duration.ofSeconds(60), 0);

  /**
   * What one model wants in one pool.
   *
   * @param backlogS estimated work that waits or runs, GPU-s, by tier
   * @param onDemand workers that stay
   * @param spot workers that may be taken away
   */
  public record Wanted(SortedMap<String, Double> backlogS, int onDemand, int spot) {
    /** Of all tiers. */
    public double backlogSum() {
      return backlogS.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    /** Both kinds. */
    public int workers() {
      return onDemand + spot;
    }
  }

  public ScalePolicy {
    boolean sound =
        min >= 0
            && max >= Math.max(1, min)
            && max <= WORKERS_MAX
            && targetWait.toMillis() >= 1_000
            && targetWait.compareTo(Duration.ofDays(1)) <= 0
            && spotShare >= 0
            && spotShare <= 1;
    if (!sound) {
      throw new QueueException.Invalid(
          "scale.policy",
          "scale.min is at least 0, scale.max from scale.min (at least 1) to "
              + WORKERS_MAX
              + ", scale.target_wait_s from 1 to 86400, scale.spot_share from 0 to 1.");
    }
  }

  /**
   * @param places that have to be there even without work
   * @param load of the whole queue; dead jobs count for nothing
   * @param tiers say whose work goes to which pool; that of tiers that spill counts in their own
   */
  public SortedMap<Place, Wanted> wanted(
      Collection<Place> places, Collection<QueueLoad> load, Collection<Tier> tiers) {
    Map<String, String> homes =
        tiers.stream().collect(Collectors.toMap(Tier::name, Tier::home, (one, other) -> one));
    SortedMap<Place, SortedMap<String, Double>> backlogs = new TreeMap<>();
    places.forEach(place -> backlogs.put(place, new TreeMap<>()));
    for (QueueLoad one : load) {
      if (one.state() != JobState.DEAD) {
        Place place = new Place(homes.getOrDefault(one.tier(), Tier.SHARED), one.model());
        backlogs
            .computeIfAbsent(place, fresh -> new TreeMap<>())
            .merge(one.tier(), one.costMs() / MS_PER_S, Double::sum);
      }
    }
    SortedMap<Place, Wanted> wanted = new TreeMap<>();
    backlogs.forEach((place, work) -> wanted.put(place, wanted(work)));
    return wanted;
  }

  private Wanted wanted(SortedMap<String, Double> backlogS) {
    double ms = backlogS.values().stream().mapToDouble(Double::doubleValue).sum() * MS_PER_S;
    // Sums of whole ms in s: their dust must not start a machine.
    double needed = Math.ceil(Math.round(ms) / (double) targetWait.toMillis());
    return split(backlogS, (int) Math.max(min, Math.min(max, needed)));
  }

  /** So many workers by kind: the floor is never spot. */
  Wanted split(SortedMap<String, Double> backlogS, int workers) {
    int spot = (int) Math.floor(Math.max(0, workers - min) * spotShare);
    return new Wanted(backlogS, workers - spot, spot);
  }
}
