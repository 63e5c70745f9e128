package dev.tintype.sampler.ops.onednn;

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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/** The verbs on the CPU: shapes are checked here, the work is in the family classes. */
final class OneDnnOps implements Ops {
  private final Engine engine;
  final OneDnnConv2d convolutions;
  private final Winograd winograd;
  private final OneDnnLinear linears;
  private final OneDnnAttention attention;
  private final VectorNorm norms;
  private final VectorPointwise pointwise;
  private final NativeLayout layout;
  private final NativeSampling sampling;

  OneDnnOps(Engine engine) {
    this.engine = engine;
    convolutions = new OneDnnConv2d(engine);
    winograd = new Winograd(engine);
    linears = new OneDnnLinear(engine);
    attention = new OneDnnAttention(engine);
    norms = new VectorNorm(engine);
    pointwise = new VectorPointwise(engine);
    layout = new NativeLayout(engine);
    sampling = new NativeSampling(engine);
  }

  @Override
  public DType dtype() {
    return DType.F32;
  }

  @Override
  public Tensor upload(float[] values, Shape shape) {
    Tensor result = engine.workspace().tensor(shape);
    if (values.length != shape.elements()) {
      result.close();
      throw new IllegalArgumentException(values.length + " values for " + shape);
    }
    MemorySegment.copy(values, 0, result.data(), ValueLayout.JAVA_FLOAT, 0, values.length);
    return result;
  }

  @Override
  public float[] download(Tensor tensor) {
    return tensor.data().toArray(ValueLayout.JAVA_FLOAT);
  }

  @Override
  public Tensor zeros(Shape shape) {
    Tensor result = engine.workspace().tensor(shape);
    pointwise.clear(result);
    return result;
  }

  /** Nothing is pending: every verb returns when it is done. */
  @Override
  public void synchronize() {}

  // ---- weights

  @Override
  public PreparedWeights.Conv2d prepareConv2d(
      HostTensor weight, Optional<HostTensor> bias, Conv2dGeometry geometry) {
    Shape shape = weight.shape();
    return winograd.suits(geometry, shape.intDim(1), shape.intDim(0))
        ? winograd.prepare(weight, bias, geometry)
        : convolutions.prepare(weight, bias, geometry);
  }

  @Override
  public PreparedWeights.Linear prepareLinear(HostTensor weight, Optional<HostTensor> bias) {
    return linears.prepare(weight, bias);
  }

  @Override
  public PreparedWeights.Norm prepareNorm(HostTensor scale, HostTensor shift) {
    return VectorNorm.Weights.of(scale, shift);
  }

  @Override
  public PreparedWeights.Table prepareTable(HostTensor rows) {
    return NativeTable.of(rows);
  }

  // ---- layers

  @Override
  public Tensor conv2d(Tensor x, PreparedWeights.Conv2d weights, Epilogue epilogue) {
    Shapes.convolution(x, weights);
    Shapes.epilogue(epilogue, weights.geometry().output(x.shape(), weights.outChannels()));
    if (weights instanceof Winograd.Weights own) {
      return winograd(x, own, epilogue);
    }
    return convolutions.apply(x, (OneDnnConv2d.Weights) weights, epilogue);
  }

  private Tensor winograd(Tensor x, Winograd.Weights weights, Epilogue epilogue) {
    if (Winograd.suits(epilogue.activation())) {
      return winograd.apply(x, weights, epilogue);
    }
    // No model does this; scale and residual come after the activation, so it is three passes.
    try (Tensor sum = winograd.apply(x, weights, Epilogue.NONE);
        Tensor active = activate(sum, epilogue.activation())) {
      return epilogue.residual().isPresent()
          ? combine(epilogue.scale(), active, 1, epilogue.residual().get())
          : scale(active, epilogue.scale());
    }
  }

  @Override
  public Tensor linear(Tensor x, PreparedWeights.Linear weights, Epilogue epilogue) {
    Shapes.channels(x, weights.inFeatures());
    Shapes.epilogue(epilogue, x.shape().with(-1, weights.outFeatures()));
    return linears.apply(x, (OneDnnLinear.Weights) weights, epilogue);
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
    return norms.group(x, bias, (VectorNorm.Weights) weights, groups, epsilon, activation);
  }

  @Override
  public Tensor layerNorm(Tensor x, PreparedWeights.Norm weights, float epsilon) {
    Shapes.channels(x, weights.channels());
    return norms.layer(x, (VectorNorm.Weights) weights, epsilon);
  }

  @Override
  public Tensor activate(Tensor x, Activation activation) {
    return pointwise.activate(x, activation);
  }

  @Override
  public Tensor geglu(Tensor x) {
    Shapes.channels(x, x.shape().dim(-1) / 2 * 2);
    return pointwise.geglu(x);
  }

  @Override
  public Tensor attention(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    Shapes.attention(q, k, v, heads, causal);
    return attention.apply(q, k, v, heads, scale, causal);
  }

  // ---- shapes and elementwise

  @Override
  public Tensor add(Tensor a, Tensor b) {
    return combine(1, a, 1, b);
  }

  @Override
  public Tensor combine(float a, Tensor x, float b, Tensor y) {
    Shapes.same(x, y);
    return pointwise.combine(a, x, b, y);
  }

  @Override
  public Tensor scale(Tensor x, float factor) {
    return pointwise.scaleAndClamp(x, factor, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);
  }

  @Override
  public Tensor clamp(Tensor x, float low, float high) {
    return pointwise.scaleAndClamp(x, 1, low, high);
  }

  @Override
  public Tensor concatChannels(List<Tensor> parts) {
    return layout.concatChannels(parts, Shapes.joined(parts, -1));
  }

  @Override
  public Tensor concatBatch(List<Tensor> parts) {
    return layout.concatBatch(parts, Shapes.joined(parts, 0));
  }

  @Override
  public Tensor sliceChannels(Tensor x, int from, int to) {
    return layout.sliceChannels(x, from, to);
  }

  @Override
  public Tensor upsampleNearest(Tensor x, int height, int width) {
    Shapes.image(x);
    return layout.upsampleNearest(x, height, width);
  }

  @Override
  public Tensor pixelUnshuffle(Tensor x, int factor) {
    return layout.pixelUnshuffle(x, factor, Shapes.unshuffled(x, factor));
  }

  @Override
  public Tensor toNchw(Tensor x) {
    Shapes.image(x);
    Shape in = x.shape();
    Shape out = Shape.of(in.dim(0), in.dim(3), in.dim(1), in.dim(2));
    return layout.transpose(x, in.dim(0), in.dim(1) * in.dim(2), in.dim(3), out);
  }

  @Override
  public Tensor toNhwc(Tensor x) {
    Shapes.image(x);
    Shape in = x.shape();
    Shape out = Shape.of(in.dim(0), in.dim(2), in.dim(3), in.dim(1));
    return layout.transpose(x, in.dim(0), in.dim(1), in.dim(2) * in.dim(3), out);
  }

  // ---- lookups

  @Override
  public Tensor embed(int[][] ids, PreparedWeights.Table table) {
    return ((NativeTable) table).lookUp(ids, engine.workspace());
  }

  @Override
  public Tensor selectTokens(Tensor x, int[] index) {
    Shapes.require(x.shape().rank() == 3 && x.shape().dim(0) == index.length, "index", x);
    return layout.selectTokens(x, index);
  }

  @Override
  public Tensor timestepEmbedding(
      double[] timesteps, int channels, boolean flipSinToCos, double downscaleFreqShift) {
    return upload(
        SinusoidalEmbedding.compute(timesteps, channels, flipSinToCos, downscaleFreqShift),
        Shape.of(timesteps.length, channels));
  }

  // ---- sampling

  @Override
  public Tensor guide(Tensor uncond, Tensor text, float scale, float rescale) {
    Shapes.same(uncond, text);
    return sampling.guide(uncond, text, scale, rescale);
  }

  @Override
  public Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    Shapes.same(sample, model);
    return sampling.step(sample, model, history, noise, coefficients);
  }

  @Override
  public Tensor normalNoise(long[] seeds, long stream, Shape item) {
    int size = Math.toIntExact(item.elements());
    float[] values = new float[Math.multiplyExact(seeds.length, size)];
    for (int n = 0; n < seeds.length; n++) {
      PhiloxNormal.fill(seeds[n], stream, values, n * size, size);
    }
    return upload(values, Shapes.batchOf(seeds.length, item));
  }

  @Override
  public byte[] toRgb8(Tensor image) {
    return NativeSampling.toRgb8(image);
  }
}
