package dev.tintype.sampler.ops;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.weights.HostTensor;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Measures every verb of another {@link Ops}, by verb and shape. It waits for the device after each
 * verb, so on a GPU the sum is more than the verbs take when they overlap.
 */
public final class ProfiledOps implements Ops {
  /** Most kinds of calls kept apart; what comes later is counted as "other". */
  private static final int KINDS_MAX = 4096;

  private static final class Total {
    private long calls;
    private long nanos;
  }

  private final Ops ops;
  private final Map<String, Total> totals = new HashMap<>();

  public ProfiledOps(Ops ops) {
    this.ops = ops;
  }

  /** Calls, milliseconds and share per verb and shape, the largest first. */
  public String report() {
    double all = totals.values().stream().mapToLong(total -> total.nanos).sum() / 1e6;
    StringBuilder lines = new StringBuilder();
    totals.entrySet().stream()
        .sorted(Comparator.comparingLong(entry -> -entry.getValue().nanos))
        .forEach(
            entry -> {
              double ms = entry.getValue().nanos / 1e6;
              lines.append(
                  String.format(
                      Locale.ROOT,
                      "%10.2f ms %5.1f %% %6d calls  %s%n",
                      ms,
                      100 * ms / all,
                      entry.getValue().calls,
                      entry.getKey()));
            });
    return lines.append(String.format(Locale.ROOT, "%10.2f ms in all%n", all)).toString();
  }

  public void reset() {
    totals.clear();
  }

  private <T> T timed(String kind, Supplier<T> call) {
    long start = System.nanoTime();
    T result = call.get();
    ops.synchronize();
    long nanos = System.nanoTime() - start;
    boolean known = totals.containsKey(kind) || totals.size() < KINDS_MAX;
    Total total = totals.computeIfAbsent(known ? kind : "other", any -> new Total());
    total.calls++;
    total.nanos += nanos;
    return result;
  }

  @Override
  public DType dtype() {
    return ops.dtype();
  }

  @Override
  public Tensor upload(float[] values, Shape shape) {
    return timed("upload", () -> ops.upload(values, shape));
  }

  @Override
  public float[] download(Tensor tensor) {
    return timed("download " + tensor.shape(), () -> ops.download(tensor));
  }

  @Override
  public Tensor zeros(Shape shape) {
    return timed("zeros", () -> ops.zeros(shape));
  }

  @Override
  public void synchronize() {
    ops.synchronize();
  }

  @Override
  public Mark mark() {
    return ops.mark();
  }

  @Override
  public PreparedWeights.Conv2d prepareConv2d(
      HostTensor weight, Optional<HostTensor> bias, Conv2dGeometry geometry) {
    return timed("prepareConv2d", () -> ops.prepareConv2d(weight, bias, geometry));
  }

  @Override
  public PreparedWeights.Linear prepareLinear(HostTensor weight, Optional<HostTensor> bias) {
    return timed("prepareLinear", () -> ops.prepareLinear(weight, bias));
  }

  @Override
  public PreparedWeights.Norm prepareNorm(HostTensor scale, HostTensor shift) {
    return timed("prepareNorm", () -> ops.prepareNorm(scale, shift));
  }

  @Override
  public PreparedWeights.Table prepareTable(HostTensor rows) {
    return timed("prepareTable", () -> ops.prepareTable(rows));
  }

  @Override
  public Tensor conv2d(Tensor x, PreparedWeights.Conv2d weights, Epilogue epilogue) {
    return timed(
        "conv2d " + x.shape() + " to " + weights.outChannels(),
        () -> ops.conv2d(x, weights, epilogue));
  }

  @Override
  public Tensor linear(Tensor x, PreparedWeights.Linear weights, Epilogue epilogue) {
    return timed(
        "linear " + x.shape() + " to " + weights.outFeatures(),
        () -> ops.linear(x, weights, epilogue));
  }

  @Override
  public Tensor groupNorm(
      Tensor x,
      Optional<ChannelBias> bias,
      PreparedWeights.Norm weights,
      int groups,
      float epsilon,
      Activation activation) {
    return timed(
        "groupNorm " + x.shape(),
        () -> ops.groupNorm(x, bias, weights, groups, epsilon, activation));
  }

  @Override
  public Tensor layerNorm(Tensor x, PreparedWeights.Norm weights, float epsilon) {
    return timed("layerNorm " + x.shape(), () -> ops.layerNorm(x, weights, epsilon));
  }

  @Override
  public Tensor activate(Tensor x, Activation activation) {
    return timed("activate " + x.shape(), () -> ops.activate(x, activation));
  }

  @Override
  public Tensor geglu(Tensor x) {
    return timed("geglu " + x.shape(), () -> ops.geglu(x));
  }

  @Override
  public Tensor linearGeglu(Tensor x, PreparedWeights.Linear weights) {
    return timed(
        "linearGeglu " + x.shape() + " to " + weights.outFeatures() / 2,
        () -> ops.linearGeglu(x, weights));
  }

  @Override
  public boolean joinsProjections() {
    return ops.joinsProjections();
  }

  @Override
  public Tensor selfAttention(Tensor joined, int heads, float scale) {
    return timed("selfAttention " + joined.shape(), () -> ops.selfAttention(joined, heads, scale));
  }

  @Override
  public Tensor attention(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    return timed(
        "attention " + q.shape() + " keys " + k.shape().dim(1),
        () -> ops.attention(q, k, v, heads, scale, causal));
  }

  @Override
  public Tensor add(Tensor a, Tensor b) {
    return timed("add " + a.shape(), () -> ops.add(a, b));
  }

  @Override
  public Tensor combine(float a, Tensor x, float b, Tensor y) {
    return timed("combine " + x.shape(), () -> ops.combine(a, x, b, y));
  }

  @Override
  public Tensor scale(Tensor x, float factor) {
    return timed("scale " + x.shape(), () -> ops.scale(x, factor));
  }

  @Override
  public Tensor clamp(Tensor x, float low, float high) {
    return timed("clamp " + x.shape(), () -> ops.clamp(x, low, high));
  }

  @Override
  public Tensor concatChannels(List<Tensor> parts) {
    return timed("concatChannels", () -> ops.concatChannels(parts));
  }

  @Override
  public Tensor concatBatch(List<Tensor> parts) {
    return timed("concatBatch", () -> ops.concatBatch(parts));
  }

  @Override
  public Tensor sliceChannels(Tensor x, int from, int to) {
    return timed("sliceChannels " + x.shape(), () -> ops.sliceChannels(x, from, to));
  }

  @Override
  public Tensor upsampleNearest(Tensor x, int height, int width) {
    return timed("upsampleNearest " + x.shape(), () -> ops.upsampleNearest(x, height, width));
  }

  @Override
  public Tensor pixelUnshuffle(Tensor x, int factor) {
    return timed("pixelUnshuffle " + x.shape(), () -> ops.pixelUnshuffle(x, factor));
  }

  @Override
  public Tensor toNchw(Tensor x) {
    return timed("toNchw " + x.shape(), () -> ops.toNchw(x));
  }

  @Override
  public Tensor toNhwc(Tensor x) {
    return timed("toNhwc " + x.shape(), () -> ops.toNhwc(x));
  }

  @Override
  public Tensor embed(int[][] ids, PreparedWeights.Table table) {
    return timed("embed", () -> ops.embed(ids, table));
  }

  @Override
  public Tensor selectTokens(Tensor x, int[] index) {
    return timed("selectTokens " + x.shape(), () -> ops.selectTokens(x, index));
  }

  @Override
  public Tensor timestepEmbedding(
      double[] timesteps, int channels, boolean flipSinToCos, double downscaleFreqShift) {
    return timed(
        "timestepEmbedding",
        () -> ops.timestepEmbedding(timesteps, channels, flipSinToCos, downscaleFreqShift));
  }

  @Override
  public Tensor guide(Tensor uncond, Tensor text, float scale, float rescale) {
    return timed("guide " + uncond.shape(), () -> ops.guide(uncond, text, scale, rescale));
  }

  @Override
  public Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    return timed(
        "step " + sample.shape(), () -> ops.step(sample, model, history, noise, coefficients));
  }

  @Override
  public Stepped guidedStep(
      Tensor sample,
      Guided prediction,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    return timed(
        "guidedStep " + sample.shape(),
        () -> ops.guidedStep(sample, prediction, history, noise, coefficients));
  }

  @Override
  public Tensor normalNoise(long[] seeds, long stream, Shape item) {
    return timed("normalNoise", () -> ops.normalNoise(seeds, stream, item));
  }

  @Override
  public byte[] toRgb8(Tensor image) {
    return timed("toRgb8 " + image.shape(), () -> ops.toRgb8(image));
  }
}
