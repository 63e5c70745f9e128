package dev.tintype.sampler.ops.reference;

import static dev.tintype.sampler.ops.reference.HeapTensors.read;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PhiloxNormal;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.ops.Shapes;
import dev.tintype.sampler.ops.SinusoidalEmbedding;
import dev.tintype.sampler.ops.StepCoefficients;
import dev.tintype.sampler.weights.HostTensor;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/** The verbs in plain Java: shapes are checked here, the arithmetic is in the family classes. */
public final class ReferenceOps implements Ops {
  private final HeapTensors tensors;

  ReferenceOps(HeapTensors tensors) {
    this.tensors = tensors;
  }

  @Override
  public DType dtype() {
    return DType.F32;
  }

  @Override
  public Tensor upload(float[] values, Shape shape) {
    return tensors.wrap(values.clone(), shape);
  }

  @Override
  public float[] download(Tensor tensor) {
    return read(tensor);
  }

  @Override
  public Tensor zeros(Shape shape) {
    return tensors.wrap(new float[Math.toIntExact(shape.elements())], shape);
  }

  @Override
  public void synchronize() {}

  // ---- weights

  @Override
  public PreparedWeights.Conv2d prepareConv2d(
      HostTensor weight, Optional<HostTensor> bias, Conv2dGeometry geometry) {
    int out = weight.shape().intDim(0);
    return new ReferenceWeights.Conv2d(
        weight.toFloats(), bias(bias, out), geometry, weight.shape().intDim(1), out);
  }

  @Override
  public PreparedWeights.Linear prepareLinear(HostTensor weight, Optional<HostTensor> bias) {
    int out = weight.shape().intDim(0);
    return new ReferenceWeights.Linear(
        weight.toFloats(), bias(bias, out), weight.shape().intDim(1), out);
  }

  private static float[] bias(Optional<HostTensor> bias, int channels) {
    return bias.map(HostTensor::toFloats).orElseGet(() -> new float[channels]);
  }

  @Override
  public PreparedWeights.Norm prepareNorm(HostTensor scale, HostTensor shift) {
    return new ReferenceWeights.Norm(scale.toFloats(), shift.toFloats());
  }

  @Override
  public PreparedWeights.Table prepareTable(HostTensor rows) {
    return new ReferenceWeights.Table(
        rows.toFloats(), rows.shape().intDim(0), rows.shape().intDim(1));
  }

  // ---- layers

  @Override
  public Tensor conv2d(Tensor x, PreparedWeights.Conv2d weights, Epilogue epilogue) {
    Shapes.convolution(x, weights);
    Shape out = weights.geometry().output(x.shape(), weights.outChannels());
    Shapes.epilogue(epilogue, out);
    ReferenceWeights.Conv2d own = (ReferenceWeights.Conv2d) weights;
    return tensors.wrap(ReferenceMatrix.conv2d(x, own, epilogue), out);
  }

  @Override
  public Tensor linear(Tensor x, PreparedWeights.Linear weights, Epilogue epilogue) {
    Shapes.channels(x, weights.inFeatures());
    Shape out = x.shape().with(-1, weights.outFeatures());
    Shapes.epilogue(epilogue, out);
    ReferenceWeights.Linear own = (ReferenceWeights.Linear) weights;
    return tensors.wrap(ReferenceMatrix.linear(x, own, epilogue), out);
  }

  @Override
  public Tensor groupNorm(
      Tensor x,
      Optional<ChannelBias> bias,
      PreparedWeights.Norm weights,
      int groups,
      float epsilon,
      Activation activation) {
    Shapes.groups(x, weights, groups);
    bias.ifPresent(b -> Shapes.channelBias(b, x));
    ReferenceWeights.Norm own = (ReferenceWeights.Norm) weights;
    return tensors.wrap(ReferenceNorm.group(x, bias, own, groups, epsilon, activation), x.shape());
  }

  @Override
  public Tensor layerNorm(Tensor x, PreparedWeights.Norm weights, float epsilon) {
    Shapes.channels(x, weights.channels());
    ReferenceWeights.Norm own = (ReferenceWeights.Norm) weights;
    return tensors.wrap(ReferenceNorm.layer(x, own, epsilon), x.shape());
  }

  @Override
  public Tensor activate(Tensor x, Activation activation) {
    return map(x, value -> ReferenceActivation.apply(activation, value));
  }

  @Override
  public Tensor geglu(Tensor x) {
    int half = x.shape().intDim(-1) / 2;
    Shapes.channels(x, 2L * half);
    float[] values = read(x);
    float[] result = new float[values.length / 2];
    for (int i = 0; i < result.length; i++) {
      int row = i / half * 2 * half;
      double gate = ReferenceActivation.gelu(values[row + half + i % half]);
      result[i] = (float) (values[row + i % half] * gate);
    }
    return tensors.wrap(result, x.shape().with(-1, half));
  }

  @Override
  public Tensor attention(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    Shapes.attention(q, k, v, heads, causal);
    return tensors.wrap(ReferenceAttention.attend(q, k, v, heads, scale, causal), q.shape());
  }

  // ---- elementwise

  @Override
  public Tensor add(Tensor a, Tensor b) {
    return combine(1, a, 1, b);
  }

  @Override
  public Tensor combine(float a, Tensor x, float b, Tensor y) {
    Shapes.same(x, y);
    float[] left = read(x);
    float[] right = read(y);
    float[] result = new float[left.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) ((double) a * left[i] + (double) b * right[i]);
    }
    return tensors.wrap(result, x.shape());
  }

  @Override
  public Tensor scale(Tensor x, float factor) {
    return map(x, value -> value * factor);
  }

  @Override
  public Tensor clamp(Tensor x, float low, float high) {
    return map(x, value -> Math.min(Math.max(value, low), high));
  }

  private Tensor map(Tensor x, DoubleUnaryOperator function) {
    float[] values = read(x);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) function.applyAsDouble(values[i]);
    }
    return tensors.wrap(values, x.shape());
  }

  // ---- shapes

  @Override
  public Tensor concatChannels(List<Tensor> parts) {
    Shape out = Shapes.joined(parts, -1);
    return tensors.wrap(ReferenceLayout.concatChannels(parts, out), out);
  }

  @Override
  public Tensor concatBatch(List<Tensor> parts) {
    Shape out = Shapes.joined(parts, 0);
    return tensors.wrap(ReferenceLayout.concatBatch(parts, out), out);
  }

  @Override
  public Tensor sliceChannels(Tensor x, int from, int to) {
    return tensors.wrap(
        ReferenceLayout.sliceChannels(x, from, to), x.shape().with(-1, (long) to - from));
  }

  @Override
  public Tensor upsampleNearest(Tensor x, int height, int width) {
    Shapes.image(x);
    return tensors.wrap(
        ReferenceLayout.upsampleNearest(x, height, width),
        x.shape().with(1, height).with(2, width));
  }

  @Override
  public Tensor pixelUnshuffle(Tensor x, int factor) {
    Shape out = Shapes.unshuffled(x, factor);
    return tensors.wrap(ReferenceLayout.pixelUnshuffle(x, factor, out), out);
  }

  @Override
  public Tensor toNchw(Tensor x) {
    Shapes.image(x);
    Shape in = x.shape();
    return tensors.wrap(
        ReferenceLayout.transpose(x, in.intDim(0), in.intDim(1) * in.intDim(2), in.intDim(3)),
        Shape.of(in.dim(0), in.dim(3), in.dim(1), in.dim(2)));
  }

  @Override
  public Tensor toNhwc(Tensor x) {
    Shapes.image(x);
    Shape in = x.shape();
    return tensors.wrap(
        ReferenceLayout.transpose(x, in.intDim(0), in.intDim(1), in.intDim(2) * in.intDim(3)),
        Shape.of(in.dim(0), in.dim(2), in.dim(3), in.dim(1)));
  }

  // ---- lookups

  @Override
  public Tensor embed(int[][] ids, PreparedWeights.Table table) {
    ReferenceWeights.Table own = (ReferenceWeights.Table) table;
    int tokens = ids[0].length;
    int channels = own.channels();
    float[] result = new float[ids.length * tokens * channels];
    for (int n = 0; n < ids.length; n++) {
      for (int t = 0; t < tokens; t++) {
        System.arraycopy(
            own.values(), ids[n][t] * channels, result, (n * tokens + t) * channels, channels);
      }
    }
    return tensors.wrap(result, Shape.of(ids.length, tokens, channels));
  }

  @Override
  public Tensor selectTokens(Tensor x, int[] index) {
    Shapes.require(x.shape().rank() == 3 && x.shape().dim(0) == index.length, "index", x);
    return tensors.wrap(
        ReferenceLayout.selectTokens(x, index), Shape.of(index.length, x.shape().dim(2)));
  }

  @Override
  public Tensor timestepEmbedding(
      double[] timesteps, int channels, boolean flipSinToCos, double downscaleFreqShift) {
    return tensors.wrap(
        SinusoidalEmbedding.compute(timesteps, channels, flipSinToCos, downscaleFreqShift),
        Shape.of(timesteps.length, channels));
  }

  // ---- sampling

  @Override
  public Tensor guide(Tensor uncond, Tensor text, float scale, float rescale) {
    Shapes.same(uncond, text);
    return tensors.wrap(ReferenceSampling.guide(uncond, text, scale, rescale), text.shape());
  }

  @Override
  public Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    Shapes.same(sample, model);
    float[][] results = ReferenceSampling.step(sample, model, history, noise, coefficients);
    return new Stepped(
        tensors.wrap(results[0], sample.shape()), tensors.wrap(results[1], sample.shape()));
  }

  @Override
  public Tensor normalNoise(long[] seeds, long stream, Shape item) {
    int size = Math.toIntExact(item.elements());
    float[] values = new float[Math.multiplyExact(seeds.length, size)];
    for (int n = 0; n < seeds.length; n++) {
      PhiloxNormal.fill(seeds[n], stream, values, n * size, size);
    }
    return tensors.wrap(values, Shapes.batchOf(seeds.length, item));
  }

  @Override
  public byte[] toRgb8(Tensor image) {
    return ReferenceSampling.toRgb8(image);
  }
}
