package dev.tintype.sampler.weights;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A tensor of a checkpoint, in host memory, row-major, little-endian, possibly unaligned and mapped
 * from a file.
 *
 * @param key its full name in the checkpoint, for errors
 */
public record HostTensor(String key, DType dtype, Shape shape, MemorySegment data) {
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Wraps values, for tests and for weights that are computed. */
  public static HostTensor of(String key, float[] values, long... dims) {
    Shape shape = Shape.of(dims);
    if (shape.elements() != values.length) {
      throw new IllegalArgumentException(key + ": " + values.length + " values for " + shape);
    }
    return new HostTensor(key, DType.F32, shape, MemorySegment.ofArray(values));
  }

  /**
   * Tensors of one shape but for the first dimension, one below the other; of several types, as
   * fp32.
   *
   * @param arena that the result lives in
   */
  public static HostTensor stack(List<HostTensor> parts, SegmentAllocator arena) {
    HostTensor first = parts.getFirst();
    if (parts.stream().anyMatch(part -> part.dtype != first.dtype)) {
      return stack(
          parts.stream().map(p -> of(p.key, p.toFloats(), p.shape.dims())).toList(), arena);
    }
    long rows = 0;
    long bytes = 0;
    for (HostTensor part : parts) {
      if (!part.shape.with(0, 0).equals(first.shape.with(0, 0))) {
        throw new IllegalArgumentException(part + " below " + first);
      }
      rows += part.shape.dim(0);
      bytes += part.data.byteSize();
    }
    MemorySegment all = arena.allocate(Math.max(1, bytes), 16).asSlice(0, bytes);
    long offset = 0;
    for (HostTensor part : parts) {
      MemorySegment.copy(part.data, 0, all, offset, part.data.byteSize());
      offset += part.data.byteSize();
    }
    return new HostTensor(first.key, first.dtype, first.shape.with(0, rows), all);
  }

  /** All values as fp32; exact for fp16 and bf16. */
  public float[] toFloats() {
    int count = Math.toIntExact(shape.elements());
    float[] values = new float[count];
    switch (dtype) {
      case F64 -> {
        for (int i = 0; i < count; i++) {
          values[i] = (float) data.get(F64, 8L * i);
        }
      }
      case F32 -> MemorySegment.copy(data, F32, 0, values, 0, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          values[i] = Float.float16ToFloat(data.get(U16, 2L * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          values[i] = Float.intBitsToFloat(data.get(U16, 2L * i) << 16);
        }
      }
      case I64 -> {
        for (int i = 0; i < count; i++) {
          values[i] = data.get(I64, 8L * i);
        }
      }
      case I32 -> {
        for (int i = 0; i < count; i++) {
          values[i] = data.get(I32, 4L * i);
        }
      }
      case U8 -> {
        for (int i = 0; i < count; i++) {
          values[i] = data.get(ValueLayout.JAVA_BYTE, i) & 0xff;
        }
      }
    }
    return values;
  }

  /**
   * The same values under another shape of as many elements (a 1x1 convolution as a linear layer).
   */
  public HostTensor reshape(long... dims) {
    Shape other = Shape.of(dims);
    if (other.elements() != shape.elements()) {
      throw new IllegalArgumentException(key + ": cannot view " + shape + " as " + other);
    }
    return new HostTensor(key, dtype, other, data);
  }
}
