package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.Spare;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * The workspace of a device: blocks from cudaMalloc in size classes, kept and handed out again. One
 * stream runs everything in order, so a block may be reused as soon as its tensor is closed, while
 * the kernel that reads it is still queued. A bound limits what is held. Before a request fails,
 * unused blocks go back to the driver, and then what others hold and can make anew; not while a
 * graph is recorded, since giving back waits for the GPU, which a recording does not survive.
 */
final class CudaMemory implements AutoCloseable {
  /** What kernels and libraries may assume of an address. */
  static final long ALIGNMENT_BYTES = 256;

  /** Classes grow by an eighth of a power of two, so at most 12.5 % of a block is unused. */
  private static final int CLASSES_PER_DOUBLING = 8;

  private final Cuda cuda;
  private final long bytesMax;
  private final TreeMap<Long, ArrayDeque<Long>> unused = new TreeMap<>();

  /** Blocks taken while a graph is recorded. */
  private final Set<Long> taken = new HashSet<>();

  /**
   * Scratch of the recorded graphs: blocks that a recording took and released again. Replays run
   * one after another, so all graphs share them; nobody else may have them while there is a graph.
   */
  private final TreeMap<Long, ArrayDeque<Long>> parked = new TreeMap<>();

  private final List<Spare> spares = new ArrayList<>();
  private boolean recording;
  private int recordings;
  private long bytesParked;
  private long bytesUnused;
  private long bytesUsed;
  private long bytesPinned;

  CudaMemory(Cuda cuda, long bytesMax) {
    this.cuda = cuda;
    this.bytesMax = bytesMax;
  }

  long bytesMax() {
    return bytesMax;
  }

  /** Bytes taken from the driver now. */
  long bytesHeld() {
    return bytesUnused + bytesUsed + bytesPinned + bytesParked;
  }

  /** Bytes that may be taken, with all that is given back before a request fails. */
  long bytesFree() {
    long spare = spares.stream().mapToLong(Spare::bytes).sum();
    return bytesMax - bytesHeld() + bytesUnused + bytesParked + spare;
  }

  /** See {@link dev.tintype.sampler.device.Recorder#addSpare}. */
  void addSpare(Spare spare) {
    spares.add(spare);
  }

  void removeSpare(Spare spare) {
    spares.remove(spare);
  }

  /** Bytes of workspace that tensors hold now. */
  long bytesUsed() {
    return bytesUsed;
  }

  /**
   * A block of at least that many bytes; give it back with {@link #release} and the same number.
   */
  long take(long bytes) {
    long size = sizeClass(bytes);
    bytesUsed += size;
    ArrayDeque<Long> scratch = recording ? parked.get(size) : null;
    ArrayDeque<Long> blocks = unused.get(size);
    long address;
    if (scratch != null && !scratch.isEmpty()) {
      bytesParked -= size;
      address = scratch.pop();
    } else if (blocks != null && !blocks.isEmpty()) {
      bytesUnused -= size;
      address = blocks.pop();
    } else {
      address = counted(size, () -> allocate(size));
    }
    if (recording) {
      taken.add(address);
    }
    return address;
  }

  /** A block, unless others would have to give memory back for it: for what can be done without. */
  Optional<Long> takeIfFree(long bytes) {
    long size = sizeClass(bytes);
    ArrayDeque<Long> blocks = unused.get(size);
    if (recording || (blocks != null && !blocks.isEmpty())) {
      return Optional.of(take(bytes));
    }
    bytesUsed += size;
    try {
      return Optional.of(counted(size, () -> attempt(size)));
    } catch (DeviceException e) {
      if (e.isSticky()) {
        throw e;
      }
      return Optional.empty();
    }
  }

  boolean isRecording() {
    return recording;
  }

  /** Counted in {@link #bytesUsed} already, and not any more when it fails. */
  private long counted(long size, LongSupplier allocation) {
    try {
      return allocation.getAsLong();
    } catch (RuntimeException e) {
      bytesUsed -= size;
      throw e;
    }
  }

  void release(long address, long bytes) {
    long size = sizeClass(bytes);
    bytesUsed -= size;
    if (recording && taken.contains(address)) {
      bytesParked += size;
      parked.computeIfAbsent(size, key -> new ArrayDeque<>()).push(address);
    } else {
      bytesUnused += size;
      unused.computeIfAbsent(size, key -> new ArrayDeque<>()).push(address);
    }
  }

  /** From now on, blocks that are taken and released again become scratch of the graphs. */
  void startRecording() {
    recording = true;
    recordings++;
    taken.clear();
  }

  void endRecording() {
    recording = false;
    taken.clear();
  }

  /** To be called for every {@link #startRecording}, when its graph is closed or was not made. */
  void forgetRecording() {
    recordings--;
    if (recordings == 0) {
      parked.forEach(
          (size, addresses) ->
              unused.computeIfAbsent(size, key -> new ArrayDeque<>()).addAll(addresses));
      parked.clear();
      bytesUnused += bytesParked;
      bytesParked = 0;
    }
  }

  /** Memory for weights: an address of its own that stays until {@link #unpin}. */
  long pin(long bytes) {
    long size = Math.max(ALIGNMENT_BYTES, bytes);
    bytesPinned += size;
    try {
      return allocate(size);
    } catch (RuntimeException e) {
      bytesPinned -= size;
      throw e;
    }
  }

  void unpin(long address, long bytes) {
    cuda.free(address);
    bytesPinned -= Math.max(ALIGNMENT_BYTES, bytes);
  }

  /** {@code size} must be counted in {@link #bytesHeld} already. */
  private long allocate(long size) {
    try {
      return attempt(size);
    } catch (DeviceException e) {
      if (!isLack(e) || !trim()) {
        return allocateFromSpares(size, e);
      }
    }
    try {
      return attempt(size);
    } catch (DeviceException e) {
      return allocateFromSpares(size, e);
    }
  }

  private long allocateFromSpares(long size, DeviceException failure) {
    if (!isLack(failure) || !giveUpSpares()) {
      throw failure;
    }
    return attempt(size);
  }

  private static boolean isLack(DeviceException failure) {
    return failure.code().equals(DeviceException.OUT_OF_MEMORY);
  }

  private long attempt(long size) {
    if (bytesHeld() > bytesMax) {
      throw new DeviceException(
          DeviceException.OUT_OF_MEMORY,
          "the GPU's share for this worker is %,d bytes, %,d are in use and %,d more are needed;"
                  .formatted(bytesMax, bytesHeld() - size, size)
              + " use a smaller picture, batch or model");
    }
    return cuda.malloc(size);
  }

  /** Gives back all that can be; whether that was anything. */
  boolean makeRoom() {
    boolean trimmed = trim();
    return giveUpSpares() || trimmed;
  }

  private boolean giveUpSpares() {
    boolean any = false;
    if (!recording) {
      for (Spare spare : List.copyOf(spares)) {
        any |= spare.bytes() > 0;
        spare.giveUp();
      }
      trim();
    }
    return any;
  }

  /** Gives unused blocks back to the driver; whether there were any. */
  boolean trim() {
    if (bytesUnused == 0 || recording || cuda.isLost()) {
      return false;
    }
    // cudaFree waits for the device anyway; doing it once keeps the queue's errors out of it.
    cuda.synchronize();
    for (Map.Entry<Long, ArrayDeque<Long>> entry : unused.entrySet()) {
      for (Long address : entry.getValue()) {
        cuda.free(address);
        bytesUnused -= entry.getKey();
      }
      entry.getValue().clear();
    }
    unused.clear();
    return true;
  }

  static long sizeClass(long bytes) {
    long size = Math.max(ALIGNMENT_BYTES, bytes);
    long power = Long.highestOneBit(size);
    long step = Math.max(ALIGNMENT_BYTES, power / CLASSES_PER_DOUBLING);
    return Math.ceilDiv(size, step) * step;
  }

  @Override
  public void close() {
    trim();
  }
}
