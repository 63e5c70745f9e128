package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicLong;

/** Tensors over float arrays, and how many bytes of them are open. */
final class HeapTensors {
  private final AtomicLong bytesHeld = new AtomicLong();

  long bytesHeld() {
    return bytesHeld.get();
  }

  /** Takes the array over, without copying it. */
  Tensor wrap(float[] values, Shape shape) {
    if (values.length != shape.elements()) {
      throw new IllegalArgumentException(values.length + " values for " + shape);
    }
    long bytes = 4L * values.length;
    bytesHeld.addAndGet(bytes);
    return Tensor.owning(
        shape, DType.F32, MemorySegment.ofArray(values), () -> bytesHeld.addAndGet(-bytes));
  }

  /** A copy of the values of a tensor, whole or view. */
  static float[] read(Tensor tensor) {
    return tensor.data().toArray(ValueLayout.JAVA_FLOAT);
  }
}
