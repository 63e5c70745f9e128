package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * 3x3 convolution of stride 1 by Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, 2016): a
 * 2x2 piece of the result takes 16 multiplications per channel pair instead of 36, as 16 matrix
 * products over [tiles, in] x [in, out]. oneDNN has no such kernel for this processor any more; its
 * matrix product is within a few percent of the peak, so the saving arrives almost whole. The
 * transforms only add and halve: the result is as accurate as the direct sum to within a few ulps.
 */
final class Winograd {
  /** Points of a transformed 4x4 tile. */
  static final int POINTS = 16;

  /** Tiles per task, at least: enough to amortise reading the weights. */
  private static final int TILES_MIN = 64;

  /** Tiles per task, at most. */
  private static final int TILES_MAX = 256;

  /** Transformed tiles of a task, before and after: as much as a second-level cache holds. */
  private static final int TASK_BYTES = 1 << 20;

  /** Below this, the products are dealt out instead of the tiles: weights are read once only. */
  private static final int FEW_TILES = 256;

  /** Fewer channels than this do not pay for the transforms. */
  private static final int CHANNELS_MIN = 64;

  /** What one thread takes to transform the kernel, about. */
  private static final double NANOS_PER_WEIGHT = 10;

  /** The sixteen packed [in, out] matrices, one behind the other. */
  record Weights(
      MemorySegment packed,
      long matrixBytes,
      BiasVector bias,
      Conv2dGeometry geometry,
      int inChannels,
      int outChannels,
      Engine engine)
      implements PreparedWeights.Conv2d {
    @Override
    public long bytes() {
      return packed.byteSize() + bias.bytes();
    }

    @Override
    public void close() {
      engine.countWeights(-packed.byteSize());
      NativeMemory.free(packed);
      bias.close();
    }
  }

  private final Engine engine;
  private final Products products;

  Winograd(Engine engine) {
    this.engine = engine;
    products = new Products(engine);
  }

  /** Whether a layer is computed this way: a matter of its weights only, never of the picture. */
  boolean suits(Conv2dGeometry geometry, int inChannels, int outChannels) {
    return !engine.bf16()
        && geometry.kernelHeight() == 3
        && geometry.kernelWidth() == 3
        && geometry.stride() == 1
        && inChannels >= CHANNELS_MIN
        && outChannels >= CHANNELS_MIN
        && inChannels % VectorMath.LANES == 0
        && outChannels % VectorMath.LANES == 0;
  }

  /** Whether the epilogue is one that the output transform can do. */
  static boolean suits(Activation activation) {
    return switch (activation) {
      case NONE, RELU, LEAKY_RELU_02 -> true;
      case SILU, GELU, QUICK_GELU -> false;
    };
  }

  Weights prepare(HostTensor weight, Optional<HostTensor> bias, Conv2dGeometry geometry) {
    int out = weight.shape().intDim(0);
    int in = weight.shape().intDim(1);
    Products.Key product = new Products.Key(TILES_MIN, in, out, in, out);
    long matrixBytes = (products.packedBytes(product) + 63) & -64;
    MemorySegment packed = NativeMemory.allocate(POINTS * matrixBytes);
    engine.countWeights(packed.byteSize());
    Primitive pack = products.pack(new Products.PackKey(product, out, 1));
    float[] kernel = weight.toFloats();
    long plainBytes = 4L * in * out;
    int lanes = engine.team().threads();
    MemorySegment plain = engine.workspace().acquire(lanes * plainBytes);
    try {
      engine
          .team()
          .parallelLanes(
              POINTS,
              (double) POINTS * in * out * NANOS_PER_WEIGHT,
              (lane, point) -> {
                MemorySegment own = plain.asSlice(lane * plainBytes, plainBytes);
                transformKernel(kernel, in, out, point, own);
                pack.executeOn(lane, own, packed.asSlice(point * matrixBytes, matrixBytes));
              });
    } finally {
      engine.workspace().release(plain);
    }
    return new Weights(packed, matrixBytes, BiasVector.of(bias, out), geometry, in, out, engine);
  }

  /** One point of G g G^T for all channel pairs, with G = [1 0 0; .5 .5 .5; .5 -.5 .5; 0 0 1]. */
  private static void transformKernel(
      float[] kernel, int in, int out, int point, MemorySegment target) {
    double[][] g = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    double[] factors = new double[9];
    for (int i = 0; i < 9; i++) {
      factors[i] = g[point / 4][i / 3] * g[point % 4][i % 3];
    }
    for (int c = 0; c < in; c++) {
      for (int o = 0; o < out; o++) {
        int base = (o * in + c) * 9;
        double sum = 0;
        for (int i = 0; i < 9; i++) {
          sum += factors[i] * kernel[base + i];
        }
        target.setAtIndex(ValueLayout.JAVA_FLOAT, (long) c * out + o, (float) sum);
      }
    }
  }

  Tensor apply(Tensor x, Weights weights, Epilogue epilogue) {
    Shape in = x.shape();
    Shape out = weights.geometry().output(in, weights.outChannels());
    Tensor result = engine.workspace().tensor(out);
    for (int n = 0; n < in.dim(0); n++) {
      int sample = n;
      Optional<MemorySegment> residual =
          epilogue.residual().map(tensor -> tensor.slice(sample, sample + 1).data());
      try (BiasVector.Sum bias = weights.bias().plus(epilogue.channelBias(), n, engine)) {
        WinogradTiles tiles =
            new WinogradTiles(
                x.slice(n, n + 1).data(),
                in,
                result.slice(n, n + 1).data(),
                out,
                weights.geometry(),
                bias.data(),
                residual.orElse(null),
                slope(epilogue.activation()),
                epilogue.scale());
        if (tiles.count() <= FEW_TILES) {
          byPoints(tiles, weights);
        } else {
          byTiles(tiles, weights);
        }
      }
    }
    return result;
  }

  /** The activations that {@link #suits} are max(x, slope x). */
  private static float slope(Activation activation) {
    return switch (activation) {
      case RELU -> 0;
      case LEAKY_RELU_02 -> 0.2f;
      case NONE, SILU, GELU, QUICK_GELU -> 1;
    };
  }

  private static int tilesPerTask(Weights weights) {
    int tileBytes = 4 * POINTS * (weights.inChannels() + weights.outChannels());
    return Math.clamp(TASK_BYTES / tileBytes / 16 * 16, TILES_MIN, TILES_MAX);
  }

  /** What one thread takes for the whole convolution, about: 100 GFLOP/s. */
  private static double nanos(WinogradTiles tiles, Weights weights) {
    return 2.0 * POINTS * tiles.count() * weights.inChannels() * weights.outChannels() / 100;
  }

  private static Products.Key product(int tiles, Weights weights) {
    return new Products.Key(
        tiles,
        weights.inChannels(),
        weights.outChannels(),
        weights.inChannels(),
        weights.outChannels());
  }

  /** One task transforms some tiles, multiplies them by all sixteen matrices, transforms back. */
  private void byTiles(WinogradTiles tiles, Weights weights) {
    int count = tiles.count();
    int perTask = tilesPerTask(weights);
    int tail = count % perTask;
    Primitive full = products.product(product(perTask, weights));
    Primitive last = tail == 0 ? full : products.product(product(tail, weights));
    long before = 4L * POINTS * perTask * weights.inChannels();
    long after = 4L * POINTS * perTask * weights.outChannels();
    long patch = 4L * POINTS * weights.inChannels();
    long laneBytes = before + after + patch;
    MemorySegment memory = engine.workspace().acquire(engine.team().threads() * laneBytes);
    try {
      engine
          .team()
          .parallelLanes(
              (count + perTask - 1) / perTask,
              nanos(tiles, weights),
              (lane, task) -> {
                int first = task * perTask;
                int own = Math.min(perTask, count - first);
                MemorySegment from = memory.asSlice(lane * laneBytes, before);
                MemorySegment to = memory.asSlice(lane * laneBytes + before, after);
                MemorySegment border = memory.asSlice(lane * laneBytes + before + after, patch);
                tiles.transformInput(first, own, from, own, 0, border);
                for (int point = 0; point < POINTS; point++) {
                  multiply(own == perTask ? full : last, lane, point, from, to, own, weights);
                }
                tiles.transformOutput(first, own, to, own, 0);
              });
    } finally {
      engine.workspace().release(memory);
    }
  }

  private static void multiply(
      Primitive product,
      int lane,
      int point,
      MemorySegment from,
      MemorySegment to,
      int tiles,
      Weights weights) {
    product.executeOn(
        lane,
        from.asSlice(4L * point * tiles * weights.inChannels()),
        weights.packed().asSlice(point * weights.matrixBytes(), weights.matrixBytes()),
        to.asSlice(4L * point * tiles * weights.outChannels()));
  }

  /** Three loops: over tiles, over the sixteen products, over tiles. */
  private void byPoints(WinogradTiles tiles, Weights weights) {
    int count = tiles.count();
    Primitive product = products.product(product(count, weights));
    long before = 4L * POINTS * count * weights.inChannels();
    long after = 4L * POINTS * count * weights.outChannels();
    long patch = 4L * POINTS * weights.inChannels();
    int lanes = engine.team().threads();
    MemorySegment memory = engine.workspace().acquire(before + after + lanes * patch);
    MemorySegment from = memory.asSlice(0, before);
    MemorySegment to = memory.asSlice(before, after);
    int perTask = 8;
    int tasks = (count + perTask - 1) / perTask;
    try {
      engine
          .team()
          .parallelLanes(
              tasks,
              nanos(tiles, weights),
              (lane, task) -> {
                int first = task * perTask;
                MemorySegment border = memory.asSlice(before + after + lane * patch, patch);
                tiles.transformInput(
                    first, Math.min(perTask, count - first), from, count, first, border);
              });
      engine
          .team()
          .parallelLanes(
              POINTS,
              nanos(tiles, weights),
              (lane, point) -> multiply(product, lane, point, from, to, count, weights));
      engine
          .team()
          .parallel(
              tasks,
              nanos(tiles, weights),
              task -> {
                int first = task * perTask;
                tiles.transformOutput(first, Math.min(perTask, count - first), to, count, first);
              });
    } finally {
      engine.workspace().release(memory);
    }
  }
}
