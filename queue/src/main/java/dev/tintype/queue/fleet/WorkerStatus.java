package dev.tintype.queue.fleet;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.Tier;
import java.util.Collection;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What one worker says of itself.
 *
 * @param id as in its leases, 1 to {@value #TEXT_MAX} characters
 * @param host the machine's name
 * @param device one line for people
 * @param memoryBytes of the device that models may take; 0 where it is not known
 * @param freeBytes of them that nothing takes now
 * @param serves the models that it can paint with, at most {@value #MODELS_MAX}
 * @param resident those of them that are loaded now
 * @param stepsPerSecond denoising steps since its last word, of all its pictures together
 * @param jobs that it holds now
 * @param jobsMax that it can hold
 * @param version of the program
 * @param pool the tiers that it is there for: those that name this pool ({@link Tier#mayUse})
 */
public record WorkerStatus(
    String id,
    String host,
    String device,
    long memoryBytes,
    long freeBytes,
    SortedSet<String> serves,
    SortedSet<String> resident,
    double stepsPerSecond,
    int jobs,
    int jobsMax,
    WorkerState state,
    String version,
    String pool) {
  public static final int MODELS_MAX = 1_000;
  public static final int TEXT_MAX = 200;

  public WorkerStatus {
    serves = copy(serves);
    resident = copy(resident);
    boolean sound =
        !id.isBlank()
            && id.length() <= TEXT_MAX
            && memoryBytes >= 0
            && freeBytes >= 0
            && stepsPerSecond >= 0
            && stepsPerSecond < Double.POSITIVE_INFINITY
            && Tier.isPool(pool)
            && jobs >= 0
            && jobsMax >= 1;
    if (!sound) {
      throw new QueueException.Invalid(
          "worker.status",
          "This is no worker's status: id, pool, memory, rate or jobs are out of range.");
    }
    host = cut(host);
    device = cut(device);
    version = cut(version);
  }

  private static SortedSet<String> copy(Collection<String> models) {
    if (models.size() > MODELS_MAX) {
      throw new QueueException.Invalid(
          "worker.status", "A worker serves at most " + MODELS_MAX + " models.");
    }
    return Collections.unmodifiableSortedSet(new TreeSet<>(models));
  }

  private static String cut(String text) {
    return text.substring(0, Math.min(text.length(), TEXT_MAX));
  }

  /** True where it takes jobs for that model now. */
  public boolean takes(String model) {
    return state == WorkerState.READY && serves.contains(model);
  }
}
