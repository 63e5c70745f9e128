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

  /** Tasks of a picture, at least. */
  private static final int TASKS_MIN = 4;

  /** Fewer channels than this do not pay for the transforms. */
  private static final int CHANNELS_MIN = 64;

  /** Outputs transformed together: they are neighbours in the packed matrix's source. */
  private static final int OUT_BLOCK = 8;

  /** What one thread takes to transform one 3x3 kernel, about. */
  private static final double NANOS_PER_WEIGHT = 40;

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
    boolean direct = engine.bf16() && Isa.current().bf16Matrices();
    return !direct
        && geometry.kernelHeight() == 3
        && geometry.kernelWidth() == 3
        && geometry.stride() == 1
        && inChannels >= CHANNELS_MIN
        && outChannels >= CHANNELS_MIN
        && inChannels % VectorMath.LANES == 0
        && outChannels % VectorMath.LANES == 0
        && outChannels % OUT_BLOCK == 0;
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
    long plainBytes = 4L * in * out;
    MemorySegment plain = NativeMemory.allocate(POINTS * plainBytes);
    try {
      float[] kernel = weight.toFloats();
      engine
          .team()
          .parallel(
              out / OUT_BLOCK,
              (double) in * out * NANOS_PER_WEIGHT,
              block -> transformKernel(kernel, in, out, block * OUT_BLOCK, plain));
      engine
          .team()
          .parallelLanes(
              POINTS,
              (double) in * out * NANOS_PER_WEIGHT,
              (lane, point) ->
                  pack.executeOn(
                      lane,
                      plain.asSlice(point * plainBytes, plainBytes),
                      packed.asSlice(point * matrixBytes, matrixBytes)));
    } finally {
      NativeMemory.free(plain);
    }
    return new Weights(packed, matrixBytes, BiasVector.of(bias, out), geometry, in, out, engine);
  }

  /**
   * G g G^T with G = [1 0 0; .5 .5 .5; .5 -.5 .5; 0 0 1], for all inputs of some outputs, to
   * [point][in][out].
   */
  private static void transformKernel(
      float[] kernel, int in, int out, int firstOut, MemorySegment target) {
    float[] lines = new float[POINTS * OUT_BLOCK];
    double[] rows = new double[12];
    for (int c = 0; c < in; c++) {
      for (int o = 0; o < OUT_BLOCK; o++) {
        int base = ((firstOut + o) * in + c) * 9;
        for (int i = 0; i < 3; i++) {
          double outer = 0.5 * ((double) kernel[base + i] + kernel[base + 6 + i]);
          double middle = 0.5 * kernel[base + 3 + i];
          rows[i] = kernel[base + i];
          rows[3 + i] = outer + middle;
          rows[6 + i] = outer - middle;
          rows[9 + i] = kernel[base + 6 + i];
        }
        for (int i = 0; i < 4; i++) {
          double outer = 0.5 * (rows[3 * i] + rows[3 * i + 2]);
          double middle = 0.5 * rows[3 * i + 1];
          int point = 4 * i * OUT_BLOCK + o;
          lines[point] = (float) rows[3 * i];
          lines[point + OUT_BLOCK] = (float) (outer + middle);
          lines[point + 2 * OUT_BLOCK] = (float) (outer - middle);
          lines[point + 3 * OUT_BLOCK] = (float) rows[3 * i + 2];
        }
      }
      for (int point = 0; point < POINTS; point++) {
        long to = 4 * (((long) point * in + c) * out + firstOut);
        MemorySegment.copy(lines, point * OUT_BLOCK, target, ValueLayout.JAVA_FLOAT, to, OUT_BLOCK);
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
      WinogradTiles tiles =
          new WinogradTiles(
              x.slice(n, n + 1).data(),
              in,
              result.slice(n, n + 1).data(),
              out,
              weights.geometry(),
              weights.bias().values(),
              residual.orElse(null),
              slope(epilogue.activation()),
              epilogue.scale());
      if (weightsPrevail(tiles, weights)) {
        byPoints(tiles, weights);
      } else {
        byTiles(tiles, weights);
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

  /** Some tasks for every thread, none larger than the cache; the same whatever the threads. */
  private static int tilesPerTask(WinogradTiles tiles, Weights weights) {
    int tileBytes = 4 * POINTS * (weights.inChannels() + weights.outChannels());
    int fitting = Math.clamp(TASK_BYTES / tileBytes / 16 * 16, TILES_MIN, TILES_MAX);
    return Math.min(fitting, (tiles.count() / TASKS_MIN + 15) / 16 * 16);
  }

  /** Whether the sixteen matrices are larger than what they are multiplied with. */
  private static boolean weightsPrevail(WinogradTiles tiles, Weights weights) {
    long in = weights.inChannels();
    long out = weights.outChannels();
    return in * out > tiles.count() * (in + out);
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
    int perTask = tilesPerTask(tiles, weights);
    int tail = count % perTask;
    Primitive full = products.product(product(perTask, weights));
    Primitive last = tail == 0 ? full : products.product(product(tail, weights));
    long before = 4L * POINTS * WinogradTiles.pointStride(perTask, weights.inChannels());
    long after = 4L * POINTS * WinogradTiles.pointStride(perTask, weights.outChannels());
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
        from.asSlice(4 * point * WinogradTiles.pointStride(tiles, weights.inChannels())),
        weights.packed().asSlice(point * weights.matrixBytes(), weights.matrixBytes()),
        to.asSlice(4 * point * WinogradTiles.pointStride(tiles, weights.outChannels())));
  }

  /** Three loops: over tiles, over the sixteen products, over tiles. */
  private void byPoints(WinogradTiles tiles, Weights weights) {
    int count = tiles.count();
    Primitive product = products.product(product(count, weights));
    long before = 4L * POINTS * WinogradTiles.pointStride(count, weights.inChannels());
    long after = 4L * POINTS * WinogradTiles.pointStride(count, weights.outChannels());
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
