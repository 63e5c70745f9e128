package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The bias of a layer; zeros where the checkpoint has none. The channel bias of an epilogue is
 * added to it before the primitive runs: a thousand additions instead of one per result element.
 */
record BiasVector(MemorySegment values, int channels) implements AutoCloseable {

  /** What a primitive adds; closing it recycles its memory if it is not the bias itself. */
  record Sum(MemorySegment data, Workspace owner) implements AutoCloseable {
    @Override
    public void close() {
      if (owner != null) {
        owner.release(data);
      }
    }
  }

  static BiasVector of(Optional<HostTensor> bias, int channels) {
    float[] values = bias.map(HostTensor::toFloats).orElseGet(() -> new float[channels]);
    MemorySegment data = NativeMemory.allocate(4L * channels);
    MemorySegment.copy(values, 0, data, ValueLayout.JAVA_FLOAT, 0, channels);
    return new BiasVector(data, channels);
  }

  /** The bias for sample {@code n}, given the channel bias of the batch. */
  Sum plus(Optional<Epilogue.ChannelBias> channelBias, int n, Engine engine) {
    if (channelBias.isEmpty()) {
      return new Sum(values, null);
    }
    MemorySegment other = channelBias.get().rows().slice(n, n + 1).data();
    int from = channelBias.get().from();
    MemorySegment sum = engine.workspace().acquire(4L * channels);
    for (long i = 0; i < channels; i++) {
      sum.setAtIndex(
          ValueLayout.JAVA_FLOAT,
          i,
          values.getAtIndex(ValueLayout.JAVA_FLOAT, i)
              + other.getAtIndex(ValueLayout.JAVA_FLOAT, from + i));
    }
    return new Sum(sum, engine.workspace());
  }

  long bytes() {
    return values.byteSize();
  }

  @Override
  public void close() {
    NativeMemory.free(values);
  }
}
