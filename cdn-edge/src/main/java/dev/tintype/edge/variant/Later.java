package dev.tintype.edge.variant;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Variants that were put off, the oldest first. One of them is made at a time, when no request
 * waits for an encoder.
 */
final class Later {
  private final int max;
  private final Deque<InFlight> waiting = new ArrayDeque<>();
  private boolean busy;

  /**
   * @param max beyond it none is put off
   */
  Later(int max) {
    this.max = max;
  }

  /** False where there is no room. */
  synchronized boolean add(InFlight variant) {
    if (waiting.size() >= max) {
      return false;
    }
    waiting.addLast(variant);
    return true;
  }

  /** Whether the caller may make one; it then calls {@link #end}. */
  synchronized boolean take() {
    if (busy || waiting.isEmpty()) {
      return false;
    }
    busy = true;
    return true;
  }

  /** The next that nobody has begun meanwhile. */
  synchronized Optional<InFlight> next() {
    InFlight next;
    do {
      next = waiting.pollFirst();
    } while (next != null && !next.begin());
    return Optional.ofNullable(next);
  }

  synchronized void end() {
    busy = false;
  }

  synchronized int size() {
    return waiting.size();
  }
}
