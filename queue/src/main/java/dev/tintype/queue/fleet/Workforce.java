package dev.tintype.queue.fleet;

import dev.tintype.queue.store.Tier;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntSupplier;

/** What the workers that a relay sends to can take; asked once a round. Thread-safe. */
@FunctionalInterface
public interface Workforce {
  /**
   * Of one pool.
   *
   * @param slots jobs that the workers can hold together
   * @param byModel jobs that the workers of each model can hold together; a model without a worker
   *     is missing. A worker that serves several counts for each of them in full
   */
  record Capacity(int slots, Map<String, Integer> byModel) {
    public Capacity {
      byModel = Map.copyOf(byModel);
    }

    /** With one more worker. */
    Capacity and(WorkerStatus worker) {
      Map<String, Integer> more = new TreeMap<>(byModel);
      worker.serves().forEach(model -> more.merge(model, worker.jobsMax(), Integer::sum));
      return new Capacity(slots + worker.jobsMax(), more);
    }
  }

  /** As it is now, by pool; a pool without a worker is missing. */
  Map<String, Capacity> byPool();

  /** Shared workers that all serve the same models. */
  static Workforce of(Set<String> models, IntSupplier slots) {
    return of(Tier.SHARED, models, slots);
  }

  /** Workers of one pool that all serve the same models. */
  static Workforce of(String pool, Set<String> models, IntSupplier slots) {
    return () -> {
      int now = slots.getAsInt();
      Map<String, Integer> byModel = new TreeMap<>();
      models.forEach(model -> byModel.put(model, now));
      return Map.of(pool, new Capacity(now, byModel));
    };
  }

  /**
   * The ready workers of a fleet.
   *
   * @param otherwise counts while it is not known who works
   */
  static Workforce of(FleetView fleet, Workforce otherwise) {
    return () -> {
      FleetView now = fleet.still();
      if (!now.known()) {
        return otherwise.byPool();
      }
      Map<String, Capacity> pools = new TreeMap<>();
      for (WorkerStatus worker : now.workers()) {
        if (worker.state() == WorkerState.READY) {
          Capacity before = pools.getOrDefault(worker.pool(), new Capacity(0, Map.of()));
          pools.put(worker.pool(), before.and(worker));
        }
      }
      return pools;
    };
  }
}
