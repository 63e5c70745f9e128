package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;

/**
 * Blocks of native memory, 64-byte aligned, handed out by size class and recycled: after the first
 * step of a run nothing is allocated any more. Blocks are not cleared. Everything is given back to
 * the system by {@link #close}, or earlier when a new block would pass the bound.
 */
final class Workspace implements AutoCloseable {
  private static final long BLOCK_BYTES_MIN = 4096;

  private final long bytesMax;
  private final Map<Long, Deque<MemorySegment>> free = new TreeMap<>();
  private long bytesHeld;
  private long bytesInUse;
  private long bytesPeak;
  private boolean closed;

  Workspace(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** Memory from the system now, in use or free. */
  synchronized long bytesHeld() {
    return bytesHeld;
  }

  synchronized long bytesInUse() {
    return bytesInUse;
  }

  /** The most that was in use at one time. */
  synchronized long bytesPeak() {
    return bytesPeak;
  }

  /** An fp32 tensor with undefined values; closing it recycles the block. */
  Tensor tensor(Shape shape) {
    MemorySegment block = acquire(shape.elements() * Float.BYTES);
    return Tensor.owning(
        shape, DType.F32, block.asSlice(0, shape.elements() * Float.BYTES), () -> release(block));
  }

  /** A block of at least that many bytes, to be given back by {@link #release}. */
  synchronized MemorySegment acquire(long bytes) {
    if (closed) {
      throw new IllegalStateException("the device is closed");
    }
    long size = sizeClass(bytes);
    Deque<MemorySegment> blocks = free.get(size);
    MemorySegment block = blocks == null ? null : blocks.pollLast();
    if (block == null) {
      block = allocate(size);
    }
    bytesInUse += size;
    bytesPeak = Math.max(bytesPeak, bytesInUse);
    return block;
  }

  /** A block from {@link #acquire}, whole. */
  synchronized void release(MemorySegment block) {
    bytesInUse -= block.byteSize();
    if (closed) {
      deallocate(block);
    } else {
      free.computeIfAbsent(block.byteSize(), size -> new ArrayDeque<>()).addLast(block);
    }
  }

  /** Rounds up to a quarter of a power of two: at most a fifth of a block is wasted. */
  static long sizeClass(long bytes) {
    if (bytes <= BLOCK_BYTES_MIN) {
      return BLOCK_BYTES_MIN;
    }
    long quarter = Long.highestOneBit(bytes - 1) >>> 2;
    return (bytes + quarter - 1) / quarter * quarter;
  }

  private MemorySegment allocate(long size) {
    if (bytesHeld + size > bytesMax) {
      trim();
    }
    if (bytesHeld + size > bytesMax) {
      throw outOfMemory(size);
    }
    MemorySegment block = NativeMemory.allocate(size);
    bytesHeld += size;
    return block;
  }

  private DeviceException outOfMemory(long size) {
    return new DeviceException(
        DeviceException.OUT_OF_MEMORY,
        "cannot get "
            + size
            + " bytes for activations: "
            + bytesInUse
            + " of at most "
            + bytesMax
            + " are in use; make a smaller picture or raise the bound");
  }

  private void trim() {
    for (Deque<MemorySegment> blocks : free.values()) {
      blocks.forEach(this::deallocate);
    }
    free.clear();
  }

  private void deallocate(MemorySegment block) {
    bytesHeld -= block.byteSize();
    NativeMemory.free(block);
  }

  /** Gives free blocks back to the system; blocks still in use follow when they are released. */
  @Override
  public synchronized void close() {
    closed = true;
    trim();
  }
}
