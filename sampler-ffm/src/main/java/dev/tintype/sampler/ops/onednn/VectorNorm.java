package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.VectorMath.LANES;
import static dev.tintype.sampler.ops.onednn.VectorMath.SPECIES;
import static dev.tintype.sampler.ops.onednn.VectorMath.first;
import static dev.tintype.sampler.ops.onednn.VectorMath.load;
import static dev.tintype.sampler.ops.onednn.VectorMath.store;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Group and layer normalisation over NHWC memory, which oneDNN has in reference code only. */
final class VectorNorm {
  /** Pixels per task. Fixed, so that the order of summation does not depend on the threads. */
  private static final int TASK_PIXELS = 128;

  /** Elements per task of layer normalisation. */
  private static final int TASK_ELEMENTS = 16 * 1024;

  /** What one thread takes for one of the two passes, about. */
  private static final double NANOS_PER_ELEMENT = 0.4;

  record Weights(float[] scale, float[] shift) implements PreparedWeights.Norm {
    static Weights of(HostTensor scale, HostTensor shift) {
      return new Weights(scale.toFloats(), shift.toFloats());
    }

    @Override
    public int channels() {
      return scale.length;
    }

    @Override
    public long bytes() {
      return 4L * (scale.length + shift.length);
    }

    @Override
    public void close() {}
  }

  private final Engine engine;

  VectorNorm(Engine engine) {
    this.engine = engine;
  }

  Tensor group(
      Tensor x,
      Optional<ChannelBias> bias,
      Weights weights,
      int groups,
      float epsilon,
      Activation activation) {
    Shape shape = x.shape();
    int channels = shape.intDim(-1);
    int batch = shape.intDim(0);
    int pixels = Math.toIntExact(shape.elements() / Math.max(1, (long) batch * channels));
    Tensor result = engine.workspace().tensor(shape);
    boolean silu =
        switch (activation) {
          case SILU -> true;
          case NONE -> false;
          case GELU, QUICK_GELU, RELU, LEAKY_RELU_02 ->
              throw new IllegalArgumentException("groupNorm with " + activation);
        };
    int tasks = (pixels + TASK_PIXELS - 1) / TASK_PIXELS;
    for (int n = 0; n < batch; n++) {
      MemorySegment from = x.slice(n, n + 1).data();
      MemorySegment to = result.slice(n, n + 1).data();
      float[] factor = new float[channels];
      float[] offset = new float[channels];
      affine(
          from, added(bias, n, channels), pixels, tasks, weights, groups, epsilon, factor, offset);
      engine
          .team()
          .parallel(
              tasks,
              x.elements() / (double) batch * NANOS_PER_ELEMENT,
              task -> {
                int begin = task * TASK_PIXELS;
                int end = Math.min(pixels, begin + TASK_PIXELS);
                if (silu) {
                  applySilu(from, to, begin, end, factor, offset);
                } else {
                  apply(from, to, begin, end, factor, offset);
                }
              });
    }
    return result;
  }

  private static double[] added(Optional<ChannelBias> bias, int n, int channels) {
    double[] values = new double[channels];
    if (bias.isPresent()) {
      MemorySegment row = bias.get().rows().slice(n, n + 1).data();
      for (int c = 0; c < channels; c++) {
        values[c] = row.getAtIndex(ValueLayout.JAVA_FLOAT, bias.get().from() + c);
      }
    }
    return values;
  }

  /**
   * The channel bias, normalisation, scale and shift as one factor and one offset per channel.
   *
   * @param added to each channel
   */
  private void affine(
      MemorySegment from,
      double[] added,
      int pixels,
      int tasks,
      Weights weights,
      int groups,
      float epsilon,
      float[] factor,
      float[] offset) {
    int channels = factor.length;
    float[] sums = new float[tasks * channels];
    float[] squares = new float[tasks * channels];
    engine
        .team()
        .parallel(
            tasks,
            (double) pixels * channels * NANOS_PER_ELEMENT,
            task ->
                moments(
                    from,
                    task * TASK_PIXELS,
                    Math.min(pixels, (task + 1) * TASK_PIXELS),
                    channels,
                    sums,
                    squares,
                    task * channels));
    int perGroup = channels / groups;
    double[] channelMean = new double[channels];
    double[] channelSquare = new double[channels];
    for (int c = 0; c < channels; c++) {
      double sum = 0;
      double square = 0;
      for (int task = 0; task < tasks; task++) {
        sum += sums[task * channels + c];
        square += squares[task * channels + c];
      }
      double pivot = from.getAtIndex(ValueLayout.JAVA_FLOAT, c);
      channelMean[c] = added[c] + pivot + sum / pixels;
      channelSquare[c] = square / pixels - (sum / pixels) * (sum / pixels);
    }
    for (int g = 0; g < groups; g++) {
      double mean = 0;
      for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
        mean += channelMean[c] / perGroup;
      }
      double variance = 0;
      for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
        double difference = channelMean[c] - mean;
        variance += (channelSquare[c] + difference * difference) / perGroup;
      }
      double inverse = 1 / Math.sqrt(variance + epsilon);
      for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
        factor[c] = (float) (inverse * weights.scale()[c]);
        offset[c] = (float) (weights.shift()[c] - (mean - added[c]) * inverse * weights.scale()[c]);
      }
    }
  }

  /**
   * Per channel, the sums of x - pivot and of its square; the pivot is the channel's first pixel,
   * so that a large common offset does not cancel the variance away.
   */
  private static void moments(
      MemorySegment x,
      long begin,
      long end,
      int channels,
      float[] sums,
      float[] squares,
      int target) {
    int c = 0;
    for (; c + 2 * LANES <= channels; c += 2 * LANES) {
      FloatVector pivot0 = load(x, c);
      FloatVector pivot1 = load(x, c + LANES);
      FloatVector sum0 = FloatVector.zero(SPECIES);
      FloatVector sum1 = FloatVector.zero(SPECIES);
      FloatVector square0 = FloatVector.zero(SPECIES);
      FloatVector square1 = FloatVector.zero(SPECIES);
      for (long p = begin; p < end; p++) {
        FloatVector value0 = load(x, p * channels + c).sub(pivot0);
        FloatVector value1 = load(x, p * channels + c + LANES).sub(pivot1);
        sum0 = sum0.add(value0);
        sum1 = sum1.add(value1);
        square0 = value0.fma(value0, square0);
        square1 = value1.fma(value1, square1);
      }
      sum0.intoArray(sums, target + c);
      sum1.intoArray(sums, target + c + LANES);
      square0.intoArray(squares, target + c);
      square1.intoArray(squares, target + c + LANES);
    }
    for (; c < channels; c += LANES) {
      VectorMask<Float> mask = first(channels - c);
      FloatVector pivot = load(x, c, mask);
      FloatVector sum = FloatVector.zero(SPECIES);
      FloatVector square = FloatVector.zero(SPECIES);
      for (long p = begin; p < end; p++) {
        FloatVector value = load(x, p * channels + c, mask).sub(pivot);
        sum = sum.add(value);
        square = value.fma(value, square);
      }
      sum.intoArray(sums, target + c, mask);
      square.intoArray(squares, target + c, mask);
    }
  }

  private static void apply(
      MemorySegment x, MemorySegment y, long begin, long end, float[] factor, float[] offset) {
    int channels = factor.length;
    for (long p = begin; p < end; p++) {
      long row = p * channels;
      int c = 0;
      for (; c + LANES <= channels; c += LANES) {
        FloatVector f = FloatVector.fromArray(SPECIES, factor, c);
        store(load(x, row + c).fma(f, FloatVector.fromArray(SPECIES, offset, c)), y, row + c);
      }
      if (c < channels) {
        VectorMask<Float> mask = first(channels - c);
        FloatVector f = FloatVector.fromArray(SPECIES, factor, c, mask);
        FloatVector o = FloatVector.fromArray(SPECIES, offset, c, mask);
        store(load(x, row + c, mask).fma(f, o), y, row + c, mask);
      }
    }
  }

  private static void applySilu(
      MemorySegment x, MemorySegment y, long begin, long end, float[] factor, float[] offset) {
    int channels = factor.length;
    for (long p = begin; p < end; p++) {
      long row = p * channels;
      int c = 0;
      for (; c + LANES <= channels; c += LANES) {
        FloatVector f = FloatVector.fromArray(SPECIES, factor, c);
        FloatVector o = FloatVector.fromArray(SPECIES, offset, c);
        store(VectorMath.swish(load(x, row + c).fma(f, o), 1), y, row + c);
      }
      if (c < channels) {
        VectorMask<Float> mask = first(channels - c);
        FloatVector f = FloatVector.fromArray(SPECIES, factor, c, mask);
        FloatVector o = FloatVector.fromArray(SPECIES, offset, c, mask);
        store(VectorMath.swish(load(x, row + c, mask).fma(f, o), 1), y, row + c, mask);
      }
    }
  }

  Tensor layer(Tensor x, Weights weights, float epsilon) {
    int channels = x.shape().intDim(-1);
    long rows = x.elements() / channels;
    int rowsPerTask = Math.max(1, TASK_ELEMENTS / channels);
    Tensor result = engine.workspace().tensor(x.shape());
    MemorySegment from = x.data();
    MemorySegment to = result.data();
    engine
        .team()
        .parallel(
            Math.toIntExact((rows + rowsPerTask - 1) / rowsPerTask),
            x.elements() * NANOS_PER_ELEMENT,
            task -> {
              long begin = (long) task * rowsPerTask;
              for (long r = begin; r < Math.min(rows, begin + rowsPerTask); r++) {
                layerRow(from, to, r * channels, weights, epsilon);
              }
            });
    return result;
  }

  /** The row is in the cache after the first pass, so the mean can be exact before the squares. */
  private static void layerRow(
      MemorySegment x, MemorySegment y, long row, Weights weights, float epsilon) {
    int channels = weights.channels();
    int full = SPECIES.loopBound(channels);
    VectorMask<Float> mask = first(channels - full);
    FloatVector sums = FloatVector.zero(SPECIES);
    for (int c = 0; c < full; c += LANES) {
      sums = sums.add(load(x, row + c));
    }
    if (full < channels) {
      sums = sums.add(load(x, row + full, mask));
    }
    float mean = VectorMath.sum(sums) / channels;
    FloatVector squares = FloatVector.zero(SPECIES);
    for (int c = 0; c < full; c += LANES) {
      FloatVector difference = load(x, row + c).sub(mean);
      squares = difference.fma(difference, squares);
    }
    if (full < channels) {
      FloatVector difference = load(x, row + full, mask).sub(mean, mask);
      squares = difference.fma(difference, squares);
    }
    float variance = VectorMath.sum(squares) / channels;
    float inverse = (float) (1 / Math.sqrt(variance + epsilon));
    for (int c = 0; c < full; c += LANES) {
      FloatVector normal = load(x, row + c).sub(mean).mul(inverse);
      FloatVector f = FloatVector.fromArray(SPECIES, weights.scale(), c);
      store(normal.fma(f, FloatVector.fromArray(SPECIES, weights.shift(), c)), y, row + c);
    }
    if (full < channels) {
      FloatVector normal = load(x, row + full, mask).sub(mean).mul(inverse);
      FloatVector f = FloatVector.fromArray(SPECIES, weights.scale(), full, mask);
      FloatVector o = FloatVector.fromArray(SPECIES, weights.shift(), full, mask);
      store(normal.fma(f, o), y, row + full, mask);
    }
  }
}
