package dev.tintype.queue.fleet;

import java.util.List;

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

  /** As it is now, and stays. */
  FleetView still();

  /**
   * How many workers take jobs for that model now. A worker that serves several models counts for
   * each of them in full. 1 while nothing is known: whoever reckons with it then neither refuses
   * everything nor promises a fleet.
   */
  default double workersFor(String model) {
    FleetView now = still();
    return now.known() ? now.workers().stream().filter(one -> one.takes(model)).count() : 1;
  }
}
