package dev.tintype.sampler.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.reference.ReferenceDevice;
import dev.tintype.sampler.weights.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Every verb of a device against the oracle, on random shapes from a fixed seed: odd extents, batch
 * 1 to 3, few channels and many. Each case also runs twice and must give the same bits.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class OpsParityContract {
  private static final float FLOAT_ULP = 1.2e-7f;

  private final SplittableRandom random = new SplittableRandom(20261123);
  private final Ops reference = new ReferenceDevice().ops();

  protected abstract Device device();

  /** How much coarser than fp32 the device's arithmetic is: 1 for fp32. */
  protected float coarseness() {
    return 1;
  }

  // ---- machinery

  /** Runs on both, compares with a bound of so many fp32 roundings of the largest value. */
  private void compare(String what, double roundings, Function<Ops, Tensor> run) {
    Shape shape;
    float[] expected;
    try (Tensor tensor = run.apply(reference)) {
      shape = tensor.shape();
      expected = reference.download(tensor);
    }
    float[] found;
    try (Tensor tensor = run.apply(device().ops())) {
      assertThat(tensor.shape()).as(what).isEqualTo(shape);
      found = device().ops().download(tensor);
    }
    float largest = 1e-3f;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    double bound = roundings * FLOAT_ULP * coarseness() * largest;
    double worst = 0;
    int at = -1;
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(expected[i] - found[i]);
      if (!(error <= worst)) {
        worst = error;
        at = i;
      }
    }
    if (!(worst <= bound)) {
      throw new AssertionError(
          "%s: element %d is %s, expected %s; worst error %.3g, bound %.3g, result %s"
              .formatted(what, at, found[at], expected[at], worst, bound, shape));
    }
    try (Tensor again = run.apply(device().ops())) {
      assertThat(device().ops().download(again))
          .as("%s, bits of a second run", what)
          .isEqualTo(found);
    }
  }

  private int between(int low, int high) {
    return random.nextInt(low, high + 1);
  }

  private int oneOf(int... values) {
    return values[random.nextInt(values.length)];
  }

  private float[] values(long count, double deviation) {
    float[] values = new float[Math.toIntExact(count)];
    PhiloxNormal.fill(random.nextLong(), 0, values, 0, values.length);
    for (int i = 0; i < values.length; i++) {
      values[i] *= (float) deviation;
    }
    return values;
  }

  private HostTensor host(double deviation, long... dims) {
    return HostTensor.of("test", values(Shape.of(dims).elements(), deviation), dims);
  }

  /** The same random tensor for both sides. */
  private Function<Ops, Tensor> input(long... dims) {
    float[] values = values(Shape.of(dims).elements(), 1);
    return ops -> ops.upload(values, Shape.of(dims));
  }

  private Function<Ops, Epilogue> epilogue(Shape result) {
    boolean residual = random.nextBoolean();
    Activation activation = Activation.values()[random.nextInt(Activation.values().length)];
    float scale = random.nextBoolean() ? 1 : 0.7f;
    var other = input(result.dims());
    return ops -> {
      Epilogue epilogue = Epilogue.of(activation).withScale(scale);
      return residual ? epilogue.withResidual(other.apply(ops)) : epilogue;
    };
  }

  // ---- the verbs

  @Test
  void conv2d() {
    for (int i = 0; i < 60; i++) {
      int kernel = oneOf(1, 3, 3, 3);
      int stride = oneOf(1, 1, 2);
      int in = oneOf(3, 4, 9, 16, 32, 40, 64, 96);
      int out = oneOf(3, 4, 8, 32, 64, 80);
      Conv2dGeometry geometry =
          switch (between(0, 2)) {
            case 0 -> new Conv2dGeometry(kernel, kernel, stride, 0, 0, 1, 1);
            case 1 -> new Conv2dGeometry(kernel, kernel, stride, 1, 0, 0, 2);
            default -> Conv2dGeometry.square(kernel, stride, kernel / 2);
          };
      convolution(geometry, between(1, 3), between(3, 21), between(3, 19), in, out);
    }
    convolution(Conv2dGeometry.square(14, 14, 0), 1, 56, 42, 3, 32);
    convolution(Conv2dGeometry.square(3, 1, 1), 1, 64, 64, 128, 64);
    convolution(Conv2dGeometry.square(3, 1, 1), 1, 8, 8, 320, 640);
  }

  private void convolution(Conv2dGeometry g, int n, int h, int w, int in, int out) {
    long taps = (long) in * g.kernelHeight() * g.kernelWidth();
    HostTensor kernel = host(1 / Math.sqrt(taps), out, in, g.kernelHeight(), g.kernelWidth());
    Optional<HostTensor> bias = random.nextBoolean() ? Optional.of(host(1, out)) : Optional.empty();
    var x = input(n, h, w, in);
    var epilogue = epilogue(g.output(Shape.of(n, h, w, in), out));
    compare(
        "conv2d " + List.of(g, n, h, w, in, out),
        16 + Math.sqrt(taps),
        ops -> {
          try (var weights = ops.prepareConv2d(kernel, bias, g)) {
            return ops.conv2d(x.apply(ops), weights, epilogue.apply(ops));
          }
        });
  }

  @Test
  void linear() {
    for (int i = 0; i < 40; i++) {
      int in = oneOf(1, 3, 8, 32, 77, 320, 768);
      int out = oneOf(1, 4, 31, 64, 320, 1280);
      long[] dims =
          random.nextBoolean()
              ? new long[] {between(1, 3), in}
              : new long[] {between(1, 3), oneOf(1, 7, 77, 100, 256), in};
      HostTensor weight = host(1 / Math.sqrt(in), out, in);
      Optional<HostTensor> bias =
          random.nextBoolean() ? Optional.of(host(1, out)) : Optional.empty();
      var x = input(dims);
      var epilogue = epilogue(Shape.of(dims).with(-1, out));
      compare(
          "linear " + Arrays.toString(dims) + " to " + out,
          16 + Math.sqrt(in),
          ops -> {
            try (var weights = ops.prepareLinear(weight, bias)) {
              return ops.linear(x.apply(ops), weights, epilogue.apply(ops));
            }
          });
    }
  }

  @Test
  void groupNorm() {
    for (int i = 0; i < 30; i++) {
      int groups = oneOf(1, 2, 8, 32);
      int channels = groups * oneOf(1, 2, 3, 4, 10, 20);
      int n = between(1, 3);
      long[] dims =
          random.nextBoolean()
              ? new long[] {n, between(1, 40), between(1, 33), channels}
              : new long[] {n, between(2, 900), channels};
      float offset = oneOf(0, 0, 3, 30);
      HostTensor scale = host(1, channels);
      HostTensor shift = host(1, channels);
      Activation activation = random.nextBoolean() ? Activation.SILU : Activation.NONE;
      float[] values = values(Shape.of(dims).elements(), 1);
      for (int j = 0; j < values.length; j++) {
        values[j] += offset;
      }
      boolean biased = random.nextBoolean();
      // Where it lies among others: as a projection of the time embedding, or alone.
      int from = random.nextBoolean() ? 0 : oneOf(3, 8);
      int behind = random.nextBoolean() ? 0 : oneOf(5, 16);
      var rows = input(n, from + channels + behind);
      compare(
          "groupNorm " + Arrays.toString(dims) + " in " + groups + ", offset " + offset,
          32 + 8 * offset,
          ops ->
              ops.groupNorm(
                  ops.upload(values, Shape.of(dims)),
                  biased ? Optional.of(new ChannelBias(rows.apply(ops), from)) : Optional.empty(),
                  ops.prepareNorm(scale, shift),
                  groups,
                  1e-5f,
                  activation));
    }
  }

  @Test
  void layerNorm() {
    for (int i = 0; i < 20; i++) {
      int channels = oneOf(2, 5, 16, 33, 320, 768, 1280);
      HostTensor scale = host(1, channels);
      HostTensor shift = host(1, channels);
      var x = input(between(1, 3), between(1, 90), channels);
      compare(
          "layerNorm of " + channels,
          32,
          ops -> ops.layerNorm(x.apply(ops), ops.prepareNorm(scale, shift), 1e-5f));
    }
  }

  @Test
  void attention() {
    for (int depth : new int[] {8, 24, 40, 64, 80, 160, 512}) {
      for (int i = 0; i < 4; i++) {
        boolean causal = random.nextInt(3) == 0;
        int tokens = oneOf(1, 16, 77, 100, 300);
        int keys = causal ? tokens : oneOf(1, 7, 77, 100, 256);
        int heads = depth == 512 ? 1 : between(1, 5);
        attention(between(1, 3), tokens, keys, heads, depth, causal);
      }
    }
    attention(1, 1100, 1100, 3, 40, false);
    attention(1, 600, 600, 8, 64, true);
  }

  /** Joined operands that a device can and cannot read where they lie. */
  @Test
  void selfAttention() {
    for (int[] shape : new int[][] {{1, 33, 2, 8}, {2, 70, 3, 40}, {1, 5, 2, 3}, {1, 9, 1, 200}}) {
      var joined = input(shape[0], shape[1], 3L * shape[2] * shape[3]);
      float scale = (float) (1 / Math.sqrt(shape[3]));
      compare(
          "self-attention " + List.of(shape[0], shape[1], shape[2], shape[3]),
          64,
          ops -> ops.selfAttention(joined.apply(ops), shape[2], scale));
    }
  }

  private void attention(int n, int tokens, int keys, int heads, int depth, boolean causal) {
    var q = input(n, tokens, (long) heads * depth);
    var k = input(n, keys, (long) heads * depth);
    var v = input(n, keys, (long) heads * depth);
    float scale = (float) (1 / Math.sqrt(depth));
    compare(
        "attention " + List.of(n, tokens, keys, heads, depth, causal),
        64,
        ops -> ops.attention(q.apply(ops), k.apply(ops), v.apply(ops), heads, scale, causal));
  }

  @Test
  void activations() {
    for (Activation activation : Activation.values()) {
      float[] values = values(10_007, 4);
      values[0] = 0;
      values[1] = -100;
      values[2] = 100;
      compare(
          "activate " + activation,
          8,
          ops -> ops.activate(ops.upload(values, Shape.of(1, 10_007)), activation));
    }
  }

  @Test
  void geglu() {
    for (int half : new int[] {1, 15, 16, 33, 1280}) {
      var x = input(between(1, 3), between(1, 70), 2L * half);
      compare("geglu of " + half, 8, ops -> ops.geglu(x.apply(ops)));
    }
  }

  @Test
  void linearGeglu() {
    for (int i = 0; i < 20; i++) {
      int in = oneOf(1, 8, 32, 40, 77, 320);
      int half = oneOf(1, 15, 16, 33, 64, 320);
      HostTensor weight = host(1 / Math.sqrt(in), 2L * half, in);
      Optional<HostTensor> bias =
          random.nextBoolean() ? Optional.of(host(1, 2L * half)) : Optional.empty();
      var x = input(between(1, 3), oneOf(1, 7, 77, 130), in);
      compare(
          "linearGeglu of " + in + " to " + half,
          16 + 2 * Math.sqrt(in),
          ops -> {
            try (var weights = ops.prepareLinear(weight, bias)) {
              return ops.linearGeglu(x.apply(ops), weights);
            }
          });
    }
  }

  @Test
  void elementwise() {
    for (long[] dims : new long[][] {{1, 1}, {3, 17, 5}, {2, 31, 29, 33}, {1, 70_001}}) {
      var x = input(dims);
      var y = input(dims);
      compare("add", 1, ops -> ops.add(x.apply(ops), y.apply(ops)));
      compare("combine", 2, ops -> ops.combine(0.3f, x.apply(ops), -1.7f, y.apply(ops)));
      compare("scale", 1, ops -> ops.scale(x.apply(ops), 0.18215f));
      compare("clamp", 0.01, ops -> ops.clamp(x.apply(ops), -0.5f, 1.25f));
      compare("zeros", 0, ops -> ops.zeros(Shape.of(dims)));
    }
  }

  @Test
  void shapes() {
    for (int i = 0; i < 10; i++) {
      int n = between(1, 3);
      int h = between(1, 19);
      int w = between(1, 17);
      int c = between(1, 40);
      var x = input(n, h, w, c);
      var y = input(n, h, w, between(1, 20));
      var z = input(between(1, 3), h, w, c);
      compare(
          "concatChannels",
          0,
          ops -> ops.concatChannels(List.of(x.apply(ops), y.apply(ops), x.apply(ops))));
      compare("concatBatch", 0, ops -> ops.concatBatch(List.of(x.apply(ops), z.apply(ops))));
      int from = between(0, c - 1);
      compare("sliceChannels", 0, ops -> ops.sliceChannels(x.apply(ops), from, c));
      int height = between(1, 45);
      int width = between(1, 45);
      compare("upsample", 0, ops -> ops.upsampleNearest(x.apply(ops), height, width));
      compare("upsample twice", 0, ops -> ops.upsampleNearest(x.apply(ops), 2 * h, 2 * w));
      compare("toNchw", 0, ops -> ops.toNchw(x.apply(ops)));
      compare("toNhwc", 0, ops -> ops.toNhwc(x.apply(ops)));
      int factor = between(1, 4);
      var even = input(n, (long) h * factor, (long) w * factor, between(1, 5));
      compare("pixelUnshuffle", 0, ops -> ops.pixelUnshuffle(even.apply(ops), factor));
    }
  }

  @Test
  void lookups() {
    HostTensor rows = host(1, 50, 24);
    int[][] ids = {{0, 49, 3}, {7, 7, 1}};
    compare("embed", 0, ops -> ops.embed(ids, ops.prepareTable(rows)));
    var x = input(3, 9, 20);
    compare("selectTokens", 0, ops -> ops.selectTokens(x.apply(ops), new int[] {8, 0, 4}));
    compare(
        "timestepEmbedding",
        0,
        ops -> ops.timestepEmbedding(new double[] {999, 0, 20.5}, 320, true, 0));
    compare("normalNoise", 0, ops -> ops.normalNoise(new long[] {1, -5}, 3, Shape.of(5, 7, 4)));
  }

  @Test
  void sampling() {
    var sample = input(3, 8, 9, 4);
    var model = input(3, 8, 9, 4);
    var history = input(3, 8, 9, 4);
    var noise = input(3, 8, 9, 4);
    for (float rescale : new float[] {0, 0.7f}) {
      compare("guide", 16, ops -> ops.guide(sample.apply(ops), model.apply(ops), 7.5f, rescale));
      for (StepCoefficients coefficients :
          List.of(
              new StepCoefficients(1.2, -0.4, Double.POSITIVE_INFINITY, 0.7, 0, 0.1, 0, 0),
              new StepCoefficients(1.2, -0.4, 1, 0.7, 0.2, 0.1, 0.5, 0.3),
              new StepCoefficients(0, 1, 0.5, 0, 1, 0, 0, 0))) {
        compare(
            "step",
            8,
            ops -> {
              try (var stepped =
                  ops.step(
                      sample.apply(ops),
                      model.apply(ops),
                      Optional.of(history.apply(ops)),
                      Optional.of(noise.apply(ops)),
                      coefficients)) {
                return ops.concatBatch(List.of(stepped.previous(), stepped.predictedOriginal()));
              }
            });
        compare(
            "guidedStep",
            32,
            ops -> {
              var prediction = new Ops.Guided(model.apply(ops), history.apply(ops), 3, rescale);
              try (var stepped =
                  ops.guidedStep(
                      sample.apply(ops),
                      prediction,
                      Optional.of(history.apply(ops)),
                      Optional.of(noise.apply(ops)),
                      coefficients)) {
                return ops.concatBatch(List.of(stepped.previous(), stepped.predictedOriginal()));
              }
            });
      }
    }
    float[] pixels = values(3 * 20 * 30, 1);
    byte[] expected = reference.toRgb8(reference.upload(pixels, Shape.of(1, 20, 30, 3)));
    byte[] found = device().ops().toRgb8(device().ops().upload(pixels, Shape.of(1, 20, 30, 3)));
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void aSampleDoesNotDependOnItsNeighbours() {
    Ops ops = device().ops();
    HostTensor kernel = host(0.1, 48, 32, 3, 3);
    float[] values = values(3 * 17 * 13 * 32, 1);
    try (Tensor batch = ops.upload(values, Shape.of(3, 17, 13, 32));
        var weights = ops.prepareConv2d(kernel, Optional.empty(), Conv2dGeometry.square(3, 1, 1));
        Tensor whole = ops.conv2d(batch, weights, Epilogue.of(Activation.SILU));
        Tensor alone = ops.conv2d(batch.slice(1, 2), weights, Epilogue.of(Activation.SILU))) {
      assertThat(ops.download(whole.slice(1, 2))).isEqualTo(ops.download(alone));
    }
  }
}
