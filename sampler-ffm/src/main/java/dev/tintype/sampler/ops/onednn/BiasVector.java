package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** The bias of a layer; zeros where the checkpoint has none. */
record BiasVector(MemorySegment values) implements AutoCloseable {

  static BiasVector of(Optional<HostTensor> bias, int channels) {
    float[] values = bias.map(HostTensor::toFloats).orElseGet(() -> new float[channels]);
    MemorySegment data = NativeMemory.allocate(4L * channels);
    MemorySegment.copy(values, 0, data, ValueLayout.JAVA_FLOAT, 0, channels);
    return new BiasVector(data);
  }

  long bytes() {
    return values.byteSize();
  }

  @Override
  public void close() {
    NativeMemory.free(values);
  }
}
