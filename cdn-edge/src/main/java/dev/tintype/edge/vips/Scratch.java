package dev.tintype.edge.vips;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Native memory for the bytes of originals, which encodes use one after another: a fresh buffer
 * costs an encode its zeroing and its page faults. Thread-safe.
 */
final class Scratch {
  /** Of a buffer that is kept; a PNG of 1024 px has 1 to 3 MiB. */
  static final long KEPT_BYTES = 4L << 20;

  private final ArrayBlockingQueue<MemorySegment> idle;

  /**
   * Without buffers at first.
   *
   * @param keptMax how many are kept while nobody uses them
   */
  Scratch(int keptMax) {
    idle = new ArrayBlockingQueue<>(keptMax);
  }

  /**
   * Memory for one encode; what was there before may still be in it.
   *
   * @param size bytes; more than {@link #KEPT_BYTES} are not kept afterwards
   * @param arena when it ends, the memory is another encode's
   */
  MemorySegment take(long size, Arena arena) {
    if (size > KEPT_BYTES) {
      return arena.allocate(size);
    }
    MemorySegment kept = idle.poll();
    MemorySegment buffer = kept == null ? Arena.ofAuto().allocate(KEPT_BYTES) : kept;
    return buffer.reinterpret(size, arena, _ -> idle.offer(buffer));
  }
}
