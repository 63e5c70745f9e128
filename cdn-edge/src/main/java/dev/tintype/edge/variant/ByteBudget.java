package dev.tintype.edge.variant;

import dev.tintype.edge.error.EdgeException;

/**
 * The one bound over the bytes that requests hold beside the caches: originals that came from a
 * store, their copies for libvips, decoded pixels, variants on their way to the shared store. Room
 * is taken before the memory is, so that a burst, or a store that is slow, meets a refusal and not
 * the end of the heap. What alone needs more than all there is gets in when nothing else is held:
 * it is bounded by the limits of one original.
 */
final class ByteBudget {
  private final long bytesMax;
  private long held;
  private long refused;

  ByteBudget(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** Nothing yet, of this budget. */
  Held open() {
    return new Held();
  }

  synchronized long held() {
    return held;
  }

  /** How often there was no room. */
  synchronized long refused() {
    return refused;
  }

  private synchronized boolean grow(long from, long to) {
    long others = held - from;
    if (others > 0 && to > bytesMax - others) {
      refused++;
      return false;
    }
    held = others + to;
    return true;
  }

  private synchronized void giveBack(long bytes) {
    held -= bytes;
  }

  /** What one request holds; close it when the memory is free again. */
  final class Held implements AutoCloseable {
    private long bytes;
    private boolean closed;

    private Held() {}

    /**
     * Takes room until there are that many bytes in all; what has more keeps it.
     *
     * @throws EdgeException edge.memory
     */
    void atLeast(long wanted) {
      if (!has(wanted)) {
        throw EdgeException.outOfMemory();
      }
    }

    /** The same, said in words. */
    synchronized boolean has(long wanted) {
      if (closed) {
        throw new IllegalStateException("given back already");
      }
      if (wanted <= bytes) {
        return true;
      }
      boolean room = grow(bytes, wanted);
      if (room) {
        bytes = wanted;
      }
      return room;
    }

    /** The second time does nothing. */
    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        giveBack(bytes);
      }
    }
  }
}
