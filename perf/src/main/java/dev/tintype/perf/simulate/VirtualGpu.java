package dev.tintype.perf.simulate;

import dev.tintype.queue.store.Lease;

/** A worker with one GPU: what it works on, and whether it lives, sleeps or is dead. */
final class VirtualGpu {
  enum Condition {
    /** Works, or waits for work. */
    WELL,
    /** Hears and says nothing, and will go on where it was. */
    ASLEEP,
    DEAD
  }

  final String id;
  final String pool;
  Condition condition = Condition.WELL;

  /** The present job, or null. */
  Lease lease;

  /** Number of the present job, so that an event about an earlier one is told apart. */
  int run;

  /** What happened while it slept: its picture was done. */
  boolean doneAsleep;

  VirtualGpu(int number, String pool) {
    this.id = "gpu-" + number;
    this.pool = pool;
  }

  boolean idle() {
    return condition == Condition.WELL && lease == null;
  }
}
