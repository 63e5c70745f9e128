package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * Weights at fixed addresses: convolutions as [out, kernelHeight, kernelWidth, in], and beside that
 * with padded channels where it is for them, linear layers as they are, norms in fp32. All else in
 * the device's storage type.
 */
final class CudaWeights {
  private final CudaTensors tensors;
  private final CudaMemory memory;
  private final DType dtype;

  CudaWeights(CudaTensors tensors, CudaMemory memory) {
    this.tensors = tensors;
    this.memory = memory;
    this.dtype = tensors.dtype();
  }

  /** Memory of one array of weights. */
  private final class Pinned {
    private final long address;
    private final long bytes;
    private boolean closed;

    Pinned(float[] values, DType type) {
      this((long) values.length * type.bytes(), address -> tensors.write(address, values, type));
    }

    /** Of values that have the type already. */
    Pinned(MemorySegment values) {
      this(values.byteSize(), address -> tensors.write(address, values));
    }

    private Pinned(long bytes, LongConsumer write) {
      this.bytes = bytes;
      address = memory.pin(bytes);
      try {
        write.accept(address);
      } catch (RuntimeException e) {
        memory.unpin(address, bytes);
        throw e;
      }
    }

    void close() {
      if (!closed) {
        closed = true;
        memory.unpin(address, bytes);
      }
    }
  }

  private Pinned vector(HostTensor values, DType type) {
    return new Pinned(values.toFloats(), type);
  }

  /** As it is; without a way over fp32 where the checkpoint has the device's type. */
  private Pinned matrix(HostTensor weight) {
    return weight.dtype() == dtype && weight.data().isNative()
        ? new Pinned(weight.data())
        : new Pinned(weight.toFloats(), dtype);
  }

  private Pinned convolution(HostTensor weight) {
    return convolution(weight, weight.shape().intDim(1), weight.shape().intDim(0));
  }

  /** Those for {@linkplain ChannelPadding padded} channels, where there are such. */
  private Optional<Pinned> padded(HostTensor weight, Conv2dGeometry geometry) {
    int out = weight.shape().intDim(0);
    int in = weight.shape().intDim(1);
    return ChannelPadding.isFor(dtype, geometry, in, out)
        ? Optional.of(convolution(weight, ChannelPadding.padded(in), ChannelPadding.padded(out)))
        : Optional.empty();
  }

  /**
   * [out, in, height, width] as [out, height, width, in], in the device's type; zero for channels
   * beyond those that there are.
   */
  private Pinned convolution(HostTensor weight, int in, int out) {
    int taps = weight.shape().intDim(2) * weight.shape().intDim(3);
    int count = Math.multiplyExact(Math.multiplyExact(out, taps), in);
    if (weight.dtype() != dtype || dtype.bytes() != Short.BYTES) {
      float[] from = weight.toFloats();
      float[] to = new float[count];
      channelsLast(weight.shape(), in, (i, j) -> to[j] = from[i]);
      return new Pinned(to, dtype);
    }
    short[] from = weight.data().toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = arena.allocate(ValueLayout.JAVA_SHORT, count);
      channelsLast(weight.shape(), in, (i, j) -> to.setAtIndex(ValueLayout.JAVA_SHORT, j, from[i]));
      return new Pinned(to);
    }
  }

  /** Two arrays, or neither where the second finds no memory. */
  private static <T> Optional<T> beside(Runnable closeFirst, Supplier<Optional<T>> second) {
    try {
      return second.get();
    } catch (RuntimeException e) {
      closeFirst.run();
      throw e;
    }
  }

  /** A matrix of weights with an optional bias. */
  abstract static class Matrix implements PreparedWeights {
    private final Pinned weights;
    private final Optional<Pinned> bias;

    Matrix(Pinned weights, CudaWeights owner, Optional<HostTensor> bias) {
      this.weights = weights;
      this.bias =
          beside(weights::close, () -> bias.map(tensor -> owner.vector(tensor, owner.dtype)));
    }

    long address() {
      return weights.address;
    }

    /** 0 when there is none. */
    long bias() {
      return bias.map(pinned -> pinned.address).orElse(0L);
    }

    @Override
    public long bytes() {
      return weights.bytes + bias.map(pinned -> pinned.bytes).orElse(0L);
    }

    @Override
    public void close() {
      weights.close();
      bias.ifPresent(Pinned::close);
    }
  }

  static final class Conv2d extends Matrix implements PreparedWeights.Conv2d {
    private final Conv2dGeometry geometry;
    private final int in;
    private final int out;
    private final Optional<Pinned> padded;

    Conv2d(
        CudaWeights owner, HostTensor weight, Optional<HostTensor> bias, Conv2dGeometry geometry) {
      super(owner.convolution(weight), owner, bias);
      this.geometry = geometry;
      this.out = weight.shape().intDim(0);
      this.in = weight.shape().intDim(1);
      this.padded = beside(super::close, () -> owner.padded(weight, geometry));
    }

    /** Of the weights for {@linkplain ChannelPadding padded} channels; 0 when there are none. */
    long padded() {
      return padded.map(pinned -> pinned.address).orElse(0L);
    }

    @Override
    public long bytes() {
      return super.bytes() + padded.map(pinned -> pinned.bytes).orElse(0L);
    }

    @Override
    public void close() {
      super.close();
      padded.ifPresent(Pinned::close);
    }

    @Override
    public Conv2dGeometry geometry() {
      return geometry;
    }

    @Override
    public int inChannels() {
      return in;
    }

    @Override
    public int outChannels() {
      return out;
    }
  }

  static final class Linear extends Matrix implements PreparedWeights.Linear {
    private final int in;
    private final int out;

    Linear(CudaWeights owner, HostTensor weight, Optional<HostTensor> bias) {
      super(owner.matrix(weight), owner, bias);
      this.out = weight.shape().intDim(0);
      this.in = weight.shape().intDim(1);
    }

    @Override
    public int inFeatures() {
      return in;
    }

    @Override
    public int outFeatures() {
      return out;
    }
  }

  static final class Norm implements PreparedWeights.Norm {
    private final Pinned scale;
    private final Pinned shift;
    private final int channels;

    Norm(CudaWeights owner, HostTensor scale, HostTensor shift) {
      this.scale = owner.vector(scale, DType.F32);
      this.shift =
          beside(this.scale::close, () -> Optional.of(owner.vector(shift, DType.F32)))
              .orElseThrow();
      this.channels = Math.toIntExact(scale.shape().elements());
    }

    long scale() {
      return scale.address;
    }

    long shift() {
      return shift.address;
    }

    @Override
    public int channels() {
      return channels;
    }

    @Override
    public long bytes() {
      return scale.bytes + shift.bytes;
    }

    @Override
    public void close() {
      scale.close();
      shift.close();
    }
  }

  static final class Table implements PreparedWeights.Table {
    private final Pinned values;
    private final int rows;
    private final int channels;

    Table(CudaWeights owner, HostTensor table) {
      this.values = owner.matrix(table);
      this.rows = table.shape().intDim(0);
      this.channels = table.shape().intDim(1);
    }

    long address() {
      return values.address;
    }

    @Override
    public int rows() {
      return rows;
    }

    @Override
    public int channels() {
      return channels;
    }

    @Override
    public long bytes() {
      return values.bytes;
    }

    @Override
    public void close() {
      values.close();
    }
  }

  /** Moves element {@code from} of the checkpoint's order to place {@code to} of ours. */
  private interface Move {
    void move(int from, int to);
  }

  /**
   * [out, in, kernelHeight, kernelWidth] to [out, kernelHeight, kernelWidth, wide], of which the
   * first channels.
   */
  private static void channelsLast(Shape shape, int wide, Move move) {
    int out = shape.intDim(0);
    int in = shape.intDim(1);
    int taps = shape.intDim(2) * shape.intDim(3);
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < in; i++) {
        for (int tap = 0; tap < taps; tap++) {
          move.move((o * in + i) * taps + tap, (o * taps + tap) * wide + i);
        }
      }
    }
  }
}
