package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.ops.Shapes;
import dev.tintype.sampler.ops.StepCoefficients;
import dev.tintype.sampler.weights.HostTensor;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The verbs on a GPU: shapes are checked here, launches are in the family classes. */
public final class CudaOps implements Ops {
  private final Cuda cuda;
  private final CudaTensors tensors;
  private final CudaWeights weights;
  private final CudaPointwise pointwise;
  private final CudaNorms norms;
  private final CudaGeglu geglu;
  private final CudaAttention attention;
  private final CudaLayout layout;
  private final CudaSampling sampling;
  private final MatrixProduct matrix;
  private final Convolution convolution;
  private final Tuner tuner;

  CudaOps(
      Cuda cuda,
      CudaMemory memory,
      Kernels kernels,
      DType dtype,
      MatrixProduct matrix,
      Convolution convolution,
      Tuner tuner) {
    this.cuda = cuda;
    this.tensors = new CudaTensors(cuda, memory, dtype);
    this.weights = new CudaWeights(tensors, memory);
    this.pointwise = new CudaPointwise(kernels, tensors);
    this.norms = new CudaNorms(kernels, tensors);
    this.geglu = new CudaGeglu(kernels, tensors, matrix, pointwise, tuner);
    this.attention = new CudaAttention(kernels, tensors, matrix, convolution.attention(), tuner);
    this.layout = new CudaLayout(cuda, kernels, tensors);
    this.sampling = new CudaSampling(kernels, tensors);
    this.matrix = matrix;
    this.convolution = convolution;
    this.tuner = tuner;
  }

  @Override
  public DType dtype() {
    return tensors.dtype();
  }

  // ---- memory

  @Override
  public Tensor upload(float[] values, Shape shape) {
    return tensors.upload(values, shape);
  }

  @Override
  public float[] download(Tensor tensor) {
    return tensors.download(tensor);
  }

  @Override
  public Tensor zeros(Shape shape) {
    Tensor tensor = tensors.allocate(shape);
    if (tensor.bytes() > 0) {
      cuda.zero(address(tensor), tensor.bytes());
    }
    return tensor;
  }

  @Override
  public void synchronize() {
    cuda.synchronize();
  }

  @Override
  public Mark mark() {
    cuda.bind();
    return CudaMark.of(cuda);
  }

  // ---- weights

  @Override
  public PreparedWeights.Conv2d prepareConv2d(
      HostTensor weight, Optional<HostTensor> bias, Conv2dGeometry geometry) {
    return new CudaWeights.Conv2d(weights, weight, bias, geometry);
  }

  @Override
  public PreparedWeights.Linear prepareLinear(HostTensor weight, Optional<HostTensor> bias) {
    return new CudaWeights.Linear(weights, weight, bias);
  }

  @Override
  public PreparedWeights.Norm prepareNorm(HostTensor scale, HostTensor shift) {
    return new CudaWeights.Norm(weights, scale, shift);
  }

  @Override
  public PreparedWeights.Table prepareTable(HostTensor rows) {
    return new CudaWeights.Table(weights, rows);
  }

  // ---- layers

  @Override
  public Tensor conv2d(Tensor x, PreparedWeights.Conv2d weights, Epilogue epilogue) {
    Shapes.convolution(x, weights);
    Shape shape = weights.geometry().output(x.shape(), weights.outChannels());
    Shapes.epilogue(epilogue, shape);
    CudaWeights.Conv2d own = (CudaWeights.Conv2d) weights;
    return tensors.produce(
        shape,
        out ->
            convolution.convolve(
                new Convolution.Problem(
                    x.shape().intDim(0),
                    x.shape().intDim(1),
                    x.shape().intDim(2),
                    own.inChannels(),
                    shape.intDim(1),
                    shape.intDim(2),
                    own.outChannels(),
                    own.geometry()),
                new Convolution.Call(
                    address(x),
                    own.address(),
                    own.padded(),
                    address(out),
                    own.bias(),
                    epilogue.activation().ordinal(),
                    epilogue.scale(),
                    optional(epilogue.residual()))));
  }

  @Override
  public Tensor linear(Tensor x, PreparedWeights.Linear weights, Epilogue epilogue) {
    Shapes.channels(x, weights.inFeatures());
    Shape shape = x.shape().with(-1, weights.outFeatures());
    Shapes.epilogue(epilogue, shape);
    CudaWeights.Linear own = (CudaWeights.Linear) weights;
    long rows = x.elements() / own.inFeatures();
    return tensors.produce(
        shape,
        out ->
            matrix.multiply(
                new MatrixProduct.Call(
                    address(x),
                    own.address(),
                    address(out),
                    rows,
                    own.inFeatures(),
                    own.outFeatures(),
                    own.bias(),
                    epilogue.activation().ordinal(),
                    epilogue.scale(),
                    optional(epilogue.residual()),
                    false)));
  }

  private static long optional(Optional<Tensor> tensor) {
    return tensor.map(CudaTensors::address).orElse(0L);
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
    return norms.group(x, bias, (CudaWeights.Norm) weights, groups, epsilon, activation);
  }

  @Override
  public Tensor layerNorm(Tensor x, PreparedWeights.Norm weights, float epsilon) {
    Shapes.channels(x, weights.channels());
    return norms.layer(x, (CudaWeights.Norm) weights, epsilon);
  }

  @Override
  public Tensor activate(Tensor x, Activation activation) {
    return pointwise.activate(x, activation);
  }

  @Override
  public Tensor geglu(Tensor x) {
    return pointwise.geglu(x);
  }

  @Override
  public Tensor linearGeglu(Tensor x, PreparedWeights.Linear weights) {
    Shapes.channels(x, weights.inFeatures());
    Shapes.require(weights.outFeatures() % 2 == 0, "an odd number of features cannot be gated", x);
    return geglu.multiply(x, (CudaWeights.Linear) weights);
  }

  @Override
  public Tensor attention(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    Shapes.attention(q, k, v, heads, causal);
    return attention.attend(q, k, v, heads, scale, causal);
  }

  @Override
  public boolean joinsProjections() {
    return true;
  }

  @Override
  public Tensor selfAttention(Tensor joined, int heads, float scale) {
    return attention.takesJoined(joined, heads)
        ? attention.attendJoined(joined, heads, scale)
        : Ops.super.selfAttention(joined, heads, scale);
  }

  // ---- shapes and elementwise

  @Override
  public Tensor add(Tensor a, Tensor b) {
    return pointwise.combine(1, a, 1, b);
  }

  @Override
  public Tensor combine(float a, Tensor x, float b, Tensor y) {
    return pointwise.combine(a, x, b, y);
  }

  @Override
  public Tensor scale(Tensor x, float factor) {
    return pointwise.scale(x, factor);
  }

  @Override
  public Tensor clamp(Tensor x, float low, float high) {
    return pointwise.clamp(x, low, high);
  }

  @Override
  public Tensor concatChannels(List<Tensor> parts) {
    return layout.concatChannels(parts);
  }

  @Override
  public Tensor concatBatch(List<Tensor> parts) {
    return layout.concatBatch(parts);
  }

  @Override
  public Tensor sliceChannels(Tensor x, int from, int to) {
    return layout.sliceChannels(x, from, to);
  }

  @Override
  public Tensor upsampleNearest(Tensor x, int height, int width) {
    return layout.upsampleNearest(x, height, width);
  }

  @Override
  public Tensor pixelUnshuffle(Tensor x, int factor) {
    return layout.pixelUnshuffle(x, factor);
  }

  @Override
  public Tensor toNchw(Tensor x) {
    return layout.toNchw(x);
  }

  @Override
  public Tensor toNhwc(Tensor x) {
    return layout.toNhwc(x);
  }

  // ---- lookups

  @Override
  public Tensor embed(int[][] ids, PreparedWeights.Table table) {
    CudaWeights.Table own = (CudaWeights.Table) table;
    int tokens = ids[0].length;
    int[] rows = new int[ids.length * tokens];
    for (int i = 0; i < rows.length; i++) {
      int id = ids[i / tokens][i % tokens];
      rows[i] = Objects.checkIndex(id, own.rows());
    }
    Shape shape = Shape.of(ids.length, tokens, own.channels());
    return layout.gather(own.address(), rows, own.channels(), shape);
  }

  @Override
  public Tensor selectTokens(Tensor x, int[] index) {
    Shapes.require(x.shape().rank() == 3 && x.shape().dim(0) == index.length, "index", x);
    int tokens = x.shape().intDim(1);
    int[] rows = new int[index.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = i * tokens + Objects.checkIndex(index[i], tokens);
    }
    int channels = x.shape().intDim(2);
    return layout.gather(address(x), rows, channels, Shape.of(index.length, channels));
  }

  @Override
  public Tensor timestepEmbedding(
      double[] timesteps, int channels, boolean flipSinToCos, double downscaleFreqShift) {
    return sampling.timestepEmbedding(timesteps, channels, flipSinToCos, downscaleFreqShift);
  }

  // ---- sampling

  @Override
  public Tensor guide(Tensor uncond, Tensor text, float scale, float rescale) {
    return sampling.guide(new Guided(uncond, text, scale, rescale));
  }

  @Override
  public Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    return sampling.step(sample, model, history, noise, coefficients);
  }

  /** In one pass over memory. */
  @Override
  public Stepped guidedStep(
      Tensor sample,
      Guided prediction,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    return sampling.guidedStep(sample, prediction, history, noise, coefficients);
  }

  @Override
  public Tensor normalNoise(long[] seeds, long stream, Shape item) {
    return sampling.normalNoise(seeds, stream, item);
  }

  @Override
  public byte[] toRgb8(Tensor image) {
    return sampling.toRgb8(image);
  }

  String description() {
    return matrix.description() + ", " + convolution.description();
  }

  /** Plans are closed when nothing runs by them any more; each part also when another fails. */
  void close() {
    Runnable last = convolution::close;
    for (Runnable part : List.<Runnable>of(matrix::close, attention::close, tuner::close)) {
      Runnable rest = last;
      last = () -> both(part, rest);
    }
    both(() -> waitForWork(), last);
  }

  private void waitForWork() {
    if (!cuda.isLost()) {
      cuda.synchronize();
    }
  }

  private static void both(Runnable first, Runnable second) {
    try {
      first.run();
    } finally {
      second.run();
    }
  }
}
