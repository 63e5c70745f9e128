package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;

/** Tensors in the GPU's memory, and the way between them and Java's arrays. */
final class CudaTensors {
  private final Cuda cuda;
  private final CudaMemory memory;
  private final DType dtype;

  CudaTensors(Cuda cuda, CudaMemory memory, DType dtype) {
    this.cuda = cuda;
    this.memory = memory;
    this.dtype = dtype;
  }

  DType dtype() {
    return dtype;
  }

  /** A tensor of the device's type; its contents are whatever was there. */
  Tensor allocate(Shape shape) {
    return allocate(shape, dtype);
  }

  Tensor allocate(Shape shape, DType type) {
    // Every verb begins here.
    cuda.bind();
    long bytes = shape.elements() * type.bytes();
    long address = memory.take(bytes);
    MemorySegment data = MemorySegment.ofAddress(address).reinterpret(bytes);
    return Tensor.owning(shape, type, data, () -> memory.release(address, bytes));
  }

  /**
   * A tensor that work fills; where the work fails, its memory is given back.
   *
   * @param work writes all of it
   */
  Tensor produce(Shape shape, Consumer<Tensor> work) {
    return produce(shape, dtype, work);
  }

  Tensor produce(Shape shape, DType type, Consumer<Tensor> work) {
    Tensor out = allocate(shape, type);
    try {
      work.accept(out);
      return out;
    } catch (RuntimeException | Error e) {
      out.close();
      throw e;
    }
  }

  /** See {@link CudaMemory#isRecording}. */
  boolean isRecording() {
    return memory.isRecording();
  }

  /** See {@link Cuda#givePlanUp}. */
  void givePlanUp() {
    cuda.givePlanUp();
  }

  static long address(Tensor tensor) {
    return tensor.data().address();
  }

  Tensor upload(float[] values, Shape shape) {
    if (shape.elements() != values.length) {
      throw new IllegalArgumentException(values.length + " values for " + shape);
    }
    return produce(shape, tensor -> write(address(tensor), values, dtype));
  }

  /** Writes values, rounded to nearest even, to device memory. */
  void write(long address, float[] values, DType type) {
    if (values.length == 0) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate((long) values.length * type.bytes(), 16);
      encode(values, host, type);
      cuda.copyToDevice(address, host, host.byteSize());
    }
  }

  /** Copies bytes to device memory. */
  void write(long address, MemorySegment bytes) {
    if (bytes.byteSize() > 0) {
      cuda.copyToDevice(address, bytes, bytes.byteSize());
    }
  }

  /** Numbers for a kernel: seeds, timesteps, indices. Close it after the launch. */
  Tensor parameters(MemorySegment host, DType type, long count) {
    return produce(
        Shape.of(count), type, tensor -> cuda.copyToDevice(address(tensor), host, host.byteSize()));
  }

  float[] download(Tensor tensor) {
    int count = Math.toIntExact(tensor.elements());
    float[] values = new float[count];
    if (count == 0) {
      return values;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(tensor.bytes(), 16);
      cuda.copyToHost(host, address(tensor), tensor.bytes());
      decode(host, values, tensor.dtype());
    }
    return values;
  }

  byte[] downloadBytes(Tensor tensor) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, tensor.bytes()), 16);
      cuda.copyToHost(host, address(tensor), tensor.bytes());
      return host.asSlice(0, tensor.bytes()).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void encode(float[] values, MemorySegment to, DType type) {
    switch (type) {
      case F32 -> MemorySegment.copy(values, 0, to, ValueLayout.JAVA_FLOAT, 0, values.length);
      case F16 -> {
        for (int i = 0; i < values.length; i++) {
          to.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(values[i]));
        }
      }
      case BF16 -> {
        for (int i = 0; i < values.length; i++) {
          to.setAtIndex(ValueLayout.JAVA_SHORT, i, bfloat16(values[i]));
        }
      }
      case F64, I64, I32, U8 -> throw new IllegalArgumentException("not a floating type: " + type);
    }
  }

  private static void decode(MemorySegment from, float[] values, DType type) {
    switch (type) {
      case F32 -> MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
      case F16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.float16ToFloat(from.getAtIndex(ValueLayout.JAVA_SHORT, i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.intBitsToFloat(from.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
        }
      }
      case F64, I64, I32, U8 -> throw new IllegalArgumentException("not a floating type: " + type);
    }
  }

  /** Rounds to nearest even; a NaN stays one. */
  static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return 0x7fff;
    }
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }
}
