package dev.tintype.worker;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Which models stay loaded within a budget of bytes. Where room is needed, those go first whose
 * bytes x load cost x popularity is least: what is small, quickly loaded again and seldom asked
 * for. Popularity is a count of jobs that halves every {@link #HALF_LIFE_S} seconds. Pure: it
 * decides, and is told what was done. Thread-safe.
 */
final class ResidentModels {
  private static final double HALF_LIFE_S = 600;
  private static final double NS_PER_S = 1e9;

  /** What has to be done before a model can be loaded. */
  sealed interface Plan {
    /**
     * Load it, after these were evicted.
     *
     * @param evict in this order; may be empty
     */
    record Load(List<String> evict) implements Plan {}

    /** Jobs run on models that would have to go: ask again when some have ended. */
    record Wait() implements Plan {}

    /** It is larger than the whole budget. */
    record Never() implements Plan {}
  }

  private record Loaded(long bytes, double loadSeconds) {}

  private record Use(double count, long atNanos) {}

  private final long budgetBytes;
  private final LongSupplier nanoTime;
  private final Map<String, Loaded> loaded = new HashMap<>();
  private final Map<String, Use> uses = new HashMap<>();

  /**
   * @param budgetBytes for the weights of all loaded models together
   * @param nanoTime as {@link System#nanoTime}
   */
  ResidentModels(long budgetBytes, LongSupplier nanoTime) {
    this.budgetBytes = budgetBytes;
    this.nanoTime = nanoTime;
  }

  long budgetBytes() {
    return budgetBytes;
  }

  /**
   * @param bytes of the model's weights, estimated
   * @param busy models with jobs that run; they stay
   */
  synchronized Plan plan(long bytes, Set<String> busy) {
    if (bytes > budgetBytes) {
      return new Plan.Never();
    }
    long free = budgetBytes - loaded.values().stream().mapToLong(Loaded::bytes).sum();
    List<String> evict = new ArrayList<>();
    for (String model : leastWorthFirst()) {
      if (free >= bytes) {
        break;
      }
      if (!busy.contains(model)) {
        evict.add(model);
        free += loaded.get(model).bytes();
      }
    }
    if (free < bytes) {
      return new Plan.Wait();
    }
    // A large one at the end may have made the small ones before it needless victims.
    for (String model : List.copyOf(evict).reversed()) {
      if (free - loaded.get(model).bytes() >= bytes) {
        free -= loaded.get(model).bytes();
        evict.remove(model);
      }
    }
    return new Plan.Load(List.copyOf(evict));
  }

  private List<String> leastWorthFirst() {
    return loaded.keySet().stream()
        .sorted(Comparator.comparingDouble(this::worth).thenComparing(Comparator.naturalOrder()))
        .toList();
  }

  private double worth(String model) {
    Loaded one = loaded.get(model);
    return one.bytes() * one.loadSeconds() * popularity(model);
  }

  private double popularity(String model) {
    Use use = uses.get(model);
    if (use == null) {
      return 0;
    }
    double halvings = (nanoTime.getAsLong() - use.atNanos()) / NS_PER_S / HALF_LIFE_S;
    return use.count() * Math.pow(0.5, halvings);
  }

  /** A job of that model was taken. */
  synchronized void used(String model) {
    uses.put(model, new Use(popularity(model) + 1, nanoTime.getAsLong()));
  }

  synchronized void loaded(String model, long bytes, long loadNanos) {
    loaded.put(model, new Loaded(bytes, loadNanos / NS_PER_S));
  }

  synchronized void evicted(String model) {
    loaded.remove(model);
  }

  /** The models that are loaded and may go. */
  synchronized List<String> idle(Set<String> busy) {
    return leastWorthFirst().stream().filter(model -> !busy.contains(model)).toList();
  }
}
