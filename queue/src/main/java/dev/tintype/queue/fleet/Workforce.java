package dev.tintype.queue.fleet;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntSupplier;

/** What the workers that a relay sends to can take; asked once a round. Thread-safe. */
@FunctionalInterface
public interface Workforce {
  /**
   * @param slots jobs that the workers can hold together
   * @param byModel jobs that the workers of each model can hold together; a model without a worker
   *     is missing. A worker that serves several counts for each of them in full
   */
  record Capacity(int slots, Map<String, Integer> byModel) {
    public Capacity {
      byModel = Map.copyOf(byModel);
    }
  }

  /** As it is now. */
  Capacity capacity();

  /** Workers that all serve the same models. */
  static Workforce of(Set<String> models, IntSupplier slots) {
    return () -> {
      int now = slots.getAsInt();
      Map<String, Integer> byModel = new TreeMap<>();
      models.forEach(model -> byModel.put(model, now));
      return new Capacity(now, byModel);
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
        return otherwise.capacity();
      }
      int slots = 0;
      Map<String, Integer> byModel = new TreeMap<>();
      for (WorkerStatus worker : now.workers()) {
        if (worker.state() == WorkerState.READY) {
          slots += worker.jobsMax();
          worker.serves().forEach(model -> byModel.merge(model, worker.jobsMax(), Integer::sum));
        }
      }
      return new Capacity(slots, byModel);
    };
  }
}
