package dev.tintype.queue.fleet;

import dev.tintype.queue.store.Tier;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The workers as they were a moment ago. Never waits longer than {@link
 * dev.tintype.queue.ephemera.Ephemera} does and raises nothing: where nothing new can be learned,
 * the last that was known counts. Thread-safe.
 */
public interface FleetView {
  /** Most workers that a view holds; more are left out. */
  int WORKERS_MAX = 10_000;

  /** Nothing is known of any worker, and never will be. */
  FleetView UNKNOWN = new Still(false, List.of());

  /** A view that stands still, for one who looks at it more than once. */
  record Still(boolean known, List<WorkerStatus> workers) implements FleetView {
    public Still {
      workers = List.copyOf(workers);
    }

    @Override
    public FleetView still() {
      return this;
    }
  }

  /**
   * False where this process cannot tell who works: nothing was read yet, or the workers are other
   * processes and there is no shared memory to meet in. Then an empty list means nothing.
   */
  boolean known();

  /** All workers, sorted by id; empty where there are none, or none is known. */
  List<WorkerStatus> workers();

  /** Which models are served in which pools, by workers in any state. */
  default SortedSet<Place> places() {
    SortedSet<Place> places = new TreeSet<>();
    for (WorkerStatus worker : workers()) {
      worker.serves().forEach(model -> places.add(new Place(worker.pool(), model)));
    }
    return places;
  }

  /** As it is now, and stays. */
  FleetView still();

  /**
   * How many workers take jobs of that tier for that model now.
   *
   * @see #workersFor(String, String)
   */
  default double workersFor(Tier tier, String model) {
    FleetView now = still();
    return tier.spills()
        ? now.workersFor(tier.home(), model) + now.workersFor(Tier.SHARED, model)
        : now.workersFor(tier.home(), model);
  }

  /** Of the shared workers. */
  default double workersFor(String model) {
    return workersFor(Tier.SHARED, model);
  }

  /**
   * How many workers of that pool take jobs for that model now. A worker that serves several models
   * counts for each of them in full. 1 while nothing is known: whoever reckons with it then neither
   * refuses everything nor promises a fleet.
   */
  default double workersFor(String pool, String model) {
    FleetView now = still();
    return now.known()
        ? now.workers().stream().filter(one -> one.pool().equals(pool) && one.takes(model)).count()
        : 1;
  }
}
