package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The parameters of one launch, in the order of the kernel's declaration: values in slots of eight
 * bytes, and the table of pointers to them that cudaLaunchKernel reads. Reused for every launch,
 * since CUDA copies the values before it returns.
 */
final class KernelArguments {
  /** More than any kernel of ours has. */
  static final int ARGUMENTS_MAX = 32;

  private static final long SLOT_BYTES = 8;

  private final MemorySegment values;
  private final MemorySegment pointers;
  private int count;

  KernelArguments(Arena arena) {
    values = arena.allocate(ARGUMENTS_MAX * SLOT_BYTES, SLOT_BYTES);
    pointers = arena.allocate(ARGUMENTS_MAX * SLOT_BYTES, SLOT_BYTES);
    for (int i = 0; i < ARGUMENTS_MAX; i++) {
      pointers.setAtIndex(ADDRESS, i, values.asSlice(i * SLOT_BYTES, SLOT_BYTES));
    }
  }

  KernelArguments start() {
    count = 0;
    return this;
  }

  private long slot() {
    if (count == ARGUMENTS_MAX) {
      throw new IllegalStateException("more than " + ARGUMENTS_MAX + " kernel arguments");
    }
    return SLOT_BYTES * count++;
  }

  /** A device address, 0 for null. */
  KernelArguments pointer(long address) {
    values.set(JAVA_LONG, slot(), address);
    return this;
  }

  /** int64_t. */
  KernelArguments wide(long value) {
    values.set(JAVA_LONG, slot(), value);
    return this;
  }

  /** int. */
  KernelArguments number(int value) {
    values.set(JAVA_INT, slot(), value);
    return this;
  }

  /** float. */
  KernelArguments real(float value) {
    values.set(JAVA_FLOAT, slot(), value);
    return this;
  }

  /** double. */
  KernelArguments wideReal(double value) {
    values.set(JAVA_DOUBLE, slot(), value);
    return this;
  }

  MemorySegment pointers() {
    return pointers;
  }

  int count() {
    return count;
  }
}
