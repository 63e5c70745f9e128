package dev.tintype.edge.variant;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Variants that were put off, the oldest first, in a queue of their own. One of them is made at a
 * time: whenever no request waits for an encoder, and on an edge that is always busy in a share of
 * the encoders' time. For what was made before requests, requests are owed so much time that the
 * share comes out; until that is paid, the next has to wait for a quiet moment.
 */
final class Later {
  private static final int PERCENT = 100;

  private final int max;
  private final int percent;
  private final Deque<InFlight> waiting = new ArrayDeque<>();
  private boolean busy;
  private boolean beforeRequests;
  private double owedNs;
  private long dropped;

  /**
   * @param max beyond it the oldest is given up; 0 puts nothing off
   * @param percent of the encoders' time, also where requests wait; 0 is none
   */
  Later(int max, int percent) {
    this.max = max;
    this.percent = percent;
  }

  /**
   * Adds one.
   *
   * @return one that has to be given up for it, and that nobody has begun
   */
  synchronized Optional<InFlight> add(InFlight variant) {
    waiting.addLast(variant);
    while (waiting.size() > max) {
      InFlight oldest = waiting.removeFirst();
      if (oldest.begin()) {
        dropped++;
        return Optional.of(oldest);
      }
    }
    return Optional.empty();
  }

  /** Somebody makes it at once. */
  synchronized void remove(InFlight variant) {
    waiting.remove(variant);
  }

  /**
   * Whether the caller may make one; it then calls {@link #end}.
   *
   * @param idle no request waits for an encoder
   */
  synchronized boolean take(boolean idle) {
    boolean due = idle || (percent > 0 && owedNs <= 0);
    if (busy || waiting.isEmpty() || !due) {
      return false;
    }
    busy = true;
    beforeRequests = !idle;
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

  /** The one that was taken is made, in that time. */
  synchronized void end(long ns) {
    busy = false;
    if (beforeRequests) {
      owedNs += (double) ns * (PERCENT - percent) / percent;
    }
  }

  /** A request had an encoder for that time. */
  synchronized void served(long ns) {
    owedNs = Math.max(0, owedNs - ns);
  }

  synchronized int size() {
    return waiting.size();
  }

  /** How many were given up for newer ones. */
  synchronized long dropped() {
    return dropped;
  }
}
