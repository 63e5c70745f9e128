package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A backend descriptor of cuDNN's graph API: attributes are set, then it is finalised, then used.
 */
final class CudnnDescriptor implements AutoCloseable {
  private static final long MESSAGE_BYTES = 1024;

  private final MemorySegment descriptor;
  private final String what;

  CudnnDescriptor(int type, String what) {
    this.what = what;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      check(Cudnn.cudnnBackendCreateDescriptor(type, out), "cudnnBackendCreateDescriptor " + what);
      descriptor = out.get(ADDRESS, 0);
    }
  }

  /** Throws with cuDNN's own message unless the status is success. */
  static void check(int status, String call) {
    if (status != 0) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment message = arena.allocate(MESSAGE_BYTES);
        Cudnn.cudnnGetLastErrorString(message, MESSAGE_BYTES);
        MemorySegment name = Cudnn.cudnnGetErrorString(status).reinterpret(Long.MAX_VALUE);
        throw CudaException.ofLibrary(status, name.getString(0), message.getString(0), call);
      }
    }
  }

  MemorySegment handle() {
    return descriptor;
  }

  private CudnnDescriptor set(int attribute, int type, long count, MemorySegment values) {
    check(
        Cudnn.cudnnBackendSetAttribute(descriptor, attribute, type, count, values),
        "cudnnBackendSetAttribute " + attribute + " of " + what);
    return this;
  }

  CudnnDescriptor numbers(int attribute, long... values) {
    try (Arena arena = Arena.ofConfined()) {
      return set(
          attribute,
          Cudnn.CUDNN_TYPE_INT64(),
          values.length,
          arena.allocateFrom(JAVA_LONG, values));
    }
  }

  /** An enumeration's value; {@code type} is one of CUDNN_TYPE. */
  CudnnDescriptor choice(int attribute, int type, int value) {
    try (Arena arena = Arena.ofConfined()) {
      return set(attribute, type, 1, arena.allocateFrom(JAVA_INT, value));
    }
  }

  CudnnDescriptor real(int attribute, float value) {
    try (Arena arena = Arena.ofConfined()) {
      return set(attribute, Cudnn.CUDNN_TYPE_FLOAT(), 1, arena.allocateFrom(JAVA_FLOAT, value));
    }
  }

  CudnnDescriptor flag(int attribute, boolean value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(JAVA_BOOLEAN);
      segment.set(JAVA_BOOLEAN, 0, value);
      return set(attribute, Cudnn.CUDNN_TYPE_BOOLEAN(), 1, segment);
    }
  }

  CudnnDescriptor text(int attribute, String value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(value);
      return set(attribute, Cudnn.CUDNN_TYPE_CHAR(), segment.byteSize() - 1, segment);
    }
  }

  CudnnDescriptor descriptors(int attribute, CudnnDescriptor... values) {
    long[] handles = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      handles[i] = values[i].descriptor.address();
    }
    return addresses(attribute, Cudnn.CUDNN_TYPE_BACKEND_DESCRIPTOR(), handles);
  }

  /** Handles or device pointers; {@code type} is one of CUDNN_TYPE. */
  CudnnDescriptor addresses(int attribute, int type, long... values) {
    try (Arena arena = Arena.ofConfined()) {
      return set(attribute, type, values.length, arena.allocateFrom(JAVA_LONG, values));
    }
  }

  CudnnDescriptor finish() {
    check(Cudnn.cudnnBackendFinalize(descriptor), "cudnnBackendFinalize of " + what);
    return this;
  }

  /** Finalises; false when cuDNN does not support it. */
  boolean tryFinish() {
    return Cudnn.cudnnBackendFinalize(descriptor) == 0;
  }

  long number(int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_LONG);
      MemorySegment value = arena.allocate(JAVA_LONG);
      get(attribute, Cudnn.CUDNN_TYPE_INT64(), 1, count, value);
      return value.get(JAVA_LONG, 0);
    }
  }

  /** Reads up to {@code most} values of an enumeration. */
  int[] choices(int attribute, int type, int most) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_LONG);
      MemorySegment values = arena.allocate(JAVA_INT, most);
      get(attribute, type, most, count, values);
      int found = (int) Math.min(most, count.get(JAVA_LONG, 0));
      return values.asSlice(0, 4L * found).toArray(JAVA_INT);
    }
  }

  /** Fills existing descriptors with what the attribute holds; how many were filled. */
  int fill(int attribute, CudnnDescriptor... values) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_LONG);
      MemorySegment handles = arena.allocate(ADDRESS, values.length);
      for (int i = 0; i < values.length; i++) {
        handles.setAtIndex(ADDRESS, i, values[i].descriptor);
      }
      get(attribute, Cudnn.CUDNN_TYPE_BACKEND_DESCRIPTOR(), values.length, count, handles);
      return (int) Math.min(values.length, count.get(JAVA_LONG, 0));
    }
  }

  private void get(int attribute, int type, long most, MemorySegment count, MemorySegment values) {
    check(
        Cudnn.cudnnBackendGetAttribute(descriptor, attribute, type, most, count, values),
        "cudnnBackendGetAttribute " + attribute + " of " + what);
  }

  @Override
  public void close() {
    Cudnn.cudnnBackendDestroyDescriptor(descriptor);
  }
}
