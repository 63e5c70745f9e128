package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.DeviceException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Aligned native memory from the C library. Not through arenas: a shared arena checks its liveness
 * at every access and stops all threads when it closes; here tensors and weights know their owner.
 */
final class NativeMemory {
  /** One cache line, one AVX-512 register. */
  private static final long ALIGNMENT_BYTES = 64;

  /** Blocks at least this large are aligned to it and may be backed by huge pages. */
  private static final long HUGE_PAGE_BYTES = 2L << 20;

  private static final int MADV_HUGEPAGE = 14;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle ALIGNED_ALLOC =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("aligned_alloc"),
          FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("free"),
          FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
  private static final MethodHandle MADVISE =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("madvise"),
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));

  private NativeMemory() {}

  /** At least {@code bytes} bytes, rounded up to a cache line, not cleared. */
  static MemorySegment allocate(long bytes) {
    long size = Math.max(ALIGNMENT_BYTES, (bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES);
    boolean huge = size >= HUGE_PAGE_BYTES;
    try {
      MemorySegment address =
          (MemorySegment) ALIGNED_ALLOC.invokeExact(huge ? HUGE_PAGE_BYTES : ALIGNMENT_BYTES, size);
      if (address.address() == 0) {
        throw new DeviceException(
            DeviceException.OUT_OF_MEMORY,
            "the system has no "
                + size
                + " bytes of memory left; close other programs or use a"
                + " smaller model or picture");
      }
      if (huge) {
        // Only advice: fewer page-table walks on arrays of many megabytes.
        int ignored = (int) MADVISE.invokeExact(address, size, MADV_HUGEPAGE);
      }
      return address.reinterpret(size);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static void free(MemorySegment block) {
    try {
      FREE.invokeExact(block);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
