package dev.tintype.queue.fleet;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.QueueLoad;
import java.time.Duration;
import java.util.Collection;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How many workers each model wants: as many as take its open work, done by all of them at once,
 * below the target wait. Pure; what starts and stops machines asks for it.
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

  public static final ScalePolicy DEFAULT = new ScalePolicy(1, 100, Duration.ofSeconds(60), 0);

  /**
   * What one model wants.
   *
   * @param backlogS estimated work that waits or runs, GPU-s
   * @param onDemand workers that stay
   * @param spot workers that may be taken away
   */
  public record Wanted(double backlogS, int onDemand, int spot) {
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
   * @param models that have to be there even without work
   * @param load of the whole queue; dead jobs count for nothing
   */
  public SortedMap<String, Wanted> wanted(Collection<String> models, Collection<QueueLoad> load) {
    SortedMap<String, Long> backlogMs = new TreeMap<>();
    models.forEach(model -> backlogMs.put(model, 0L));
    load.stream()
        .filter(one -> one.state() != JobState.DEAD)
        .forEach(one -> backlogMs.merge(one.model(), one.costMs(), Long::sum));
    SortedMap<String, Wanted> wanted = new TreeMap<>();
    backlogMs.forEach((model, ms) -> wanted.put(model, wanted(ms)));
    return wanted;
  }

  private Wanted wanted(long backlogMs) {
    double needed = Math.ceil((double) backlogMs / targetWait.toMillis());
    int workers = (int) Math.max(min, Math.min(max, needed));
    int spot = (int) Math.floor((workers - min) * spotShare);
    return new Wanted(backlogMs / 1e3, workers - spot, spot);
  }
}
