package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Shapes;
import dev.tintype.sampler.ops.cuda.CudnnAttention.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Launches of attention: on the tensor cores for 16-bit types and head dimensions up to 160 that
 * are multiples of 8, by our kernel or by cuDNN's, whichever was measured to be faster for the
 * shape; otherwise in fp32 arithmetic.
 */
final class CudaAttention {
  private static final int THREADS = 128;
  private static final int SIMPLE_QUERIES = 16;
  private static final int MMA_QUERIES = 64;
  private static final int MMA_PAD = 8;

  /** Of the transposition. */
  private static final int TILE = 32;

  /** Head dimension that the widest kernel holds in registers. */
  static final int HEAD_DIM_MAX = 512;

  /** Padded head dimensions of the tensor-core kernels, and the keys of their tiles. */
  private static final int[][] MMA_TILES = {{48, 64}, {64, 64}, {80, 64}, {160, 32}};

  /** Shapes that are remembered. */
  private static final int SHAPES_MAX = 512;

  private static final String WIDE = "attention_simple_512";

  /** Scores of a band of queries, fp32: the memory that the products may take for them. */
  static final long SCORE_BYTES_MAX = 256L << 20;

  private final Kernels kernels;
  private final CudaTensors tensors;
  private final MatrixProduct matrix;
  private final Optional<CudnnAttention> library;
  private final Tuner tuner;
  private final long scoreBytesMax;
  private final OptionalWays optional = new OptionalWays();

  /** What a shape is computed by: a plan of the library, or nothing for our own kernel. */
  private final PlanCache<Problem, Optional<CudnnAttention.Plan>> chosen;

  /** Until products with results in fp32 fail once. */
  private boolean productsWork = true;

  CudaAttention(
      Kernels kernels,
      CudaTensors tensors,
      MatrixProduct matrix,
      Optional<CudnnAttention> library,
      Tuner tuner) {
    this(kernels, tensors, matrix, library, tuner, SCORE_BYTES_MAX);
  }

  /** With another bound for the scores, for tests of bands. */
  CudaAttention(
      Kernels kernels,
      CudaTensors tensors,
      MatrixProduct matrix,
      Optional<CudnnAttention> library,
      Tuner tuner,
      long scoreBytesMax) {
    this.kernels = kernels;
    this.tensors = tensors;
    this.matrix = matrix;
    this.library = library;
    this.tuner = tuner;
    this.scoreBytesMax = scoreBytesMax;
    this.chosen =
        new PlanCache<>(
            SHAPES_MAX, tensors::givePlanUp, plan -> plan.ifPresent(CudnnAttention.Plan::close));
  }

  Tensor attend(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    int width = q.shape().intDim(2);
    int dim = width / heads;
    Shapes.require(dim <= HEAD_DIM_MAX, "head dimension over " + HEAD_DIM_MAX, q);
    return tensors.produce(q.shape(), out -> attend(q, k, v, out, heads, scale, causal));
  }

  private void attend(
      Tensor q, Tensor k, Tensor v, Tensor out, int heads, float scale, boolean causal) {
    int width = q.shape().intDim(2);
    int dim = width / heads;
    int queries = q.shape().intDim(1);
    int keys = k.shape().intDim(1);
    Variant variant = variant(q.dtype(), dim);
    if (heads == 1
        && q.dtype() != DType.F32
        && variant.kernel().equals(WIDE)
        && keys % 8 == 0
        && attendedByProducts(q, k, v, out, scale, causal)) {
      return;
    }
    Problem problem =
        new Problem(
            q.shape().intDim(0), heads, queries, keys, dim, width, width, width, width, scale);
    attend(problem, variant, new long[] {address(q), address(k), address(v), address(out)}, causal);
  }

  /** False where our own kernel has to do it. */
  private boolean attendedByProducts(
      Tensor q, Tensor k, Tensor v, Tensor out, float scale, boolean causal) {
    int keys = k.shape().intDim(1);
    int band = Math.clamp(scoreBytesMax / (4L * keys), 1, q.shape().intDim(1));
    if (!productsWork || !matrix.widens(band, q.shape().intDim(2), keys)) {
      return false;
    }
    try {
      for (int i = 0; i < q.shape().intDim(0); i++) {
        attendByProducts(q, k, v, out, i, band, scale, causal);
      }
      return true;
    } catch (DeviceException e) {
      if (tensors.isRecording()) {
        throw e;
      }
      optional.passOver("attention by products", "queries " + q.shape(), e);
      productsWork = e.code().equals(DeviceException.OUT_OF_MEMORY);
      return false;
    }
  }

  /** Whether {@link #attendJoined} can read the parts where they lie: 16 bytes at a time. */
  boolean takesJoined(Tensor joined, int heads) {
    int width = joined.shape().intDim(2) / 3;
    return joined.shape().rank() == 3
        && joined.shape().dim(2) == 3L * width
        && width % heads == 0
        && (long) width * joined.dtype().bytes() % 16 == 0
        && !variant(joined.dtype(), width / heads).kernel().equals(WIDE);
  }

  /** Of [n, t, 3c], queries, keys and values beside each other. */
  Tensor attendJoined(Tensor joined, int heads, float scale) {
    int samples = joined.shape().intDim(0);
    int tokens = joined.shape().intDim(1);
    int stride = joined.shape().intDim(2);
    int width = stride / 3;
    long part = (long) width * joined.dtype().bytes();
    long first = address(joined);
    int dim = width / heads;
    return tensors.produce(
        Shape.of(samples, tokens, width),
        out ->
            attend(
                new Problem(
                    samples, heads, tokens, tokens, dim, stride, stride, stride, width, scale),
                variant(joined.dtype(), dim),
                new long[] {first, first + part, first + 2 * part, address(out)},
                false));
  }

  /**
   * @param operands addresses of q, k, v and the result
   */
  private void attend(Problem problem, Variant variant, long[] operands, boolean causal) {
    Optional<CudnnAttention.Plan> plan =
        library.isPresent() && variant.usesTensorCores() && !causal
            ? chosen(problem, variant, operands)
            : Optional.empty();
    if (plan.isEmpty() || !ran(problem, plan.get(), operands)) {
      launch(problem, variant, operands, causal);
    }
  }

  /** False where our own kernel has to do it after all. */
  private boolean ran(Problem problem, CudnnAttention.Plan plan, long[] operands) {
    try {
      plan.run(operands[0], operands[1], operands[2], operands[3]);
      return true;
    } catch (DeviceException e) {
      if (tensors.isRecording()) {
        throw e;
      }
      optional.passOver("attention by cuDNN", problem.toString(), e);
      if (!e.code().equals(DeviceException.OUT_OF_MEMORY)) {
        chosen.put(problem, Optional.empty());
      }
      return false;
    }
  }

  private void launch(Problem p, Variant variant, long[] operands, boolean causal) {
    long kernel = kernels.typed(variant.kernel());
    kernels
        .arguments()
        .pointer(operands[0])
        .pointer(operands[1])
        .pointer(operands[2])
        .pointer(operands[3])
        .number(p.queries())
        .number(p.keys())
        .number(p.dim())
        .number(p.qStride())
        .number(p.kStride())
        .number(p.vStride())
        .number(p.outStride())
        .real(p.scale())
        .number(causal ? 1 : 0);
    kernels.launch(
        kernel,
        Math.ceilDiv(p.queries(), variant.queries()),
        p.heads(),
        p.samples(),
        THREADS,
        variant.sharedBytes());
  }

  private Optional<CudnnAttention.Plan> chosen(Problem problem, Variant variant, long[] operands) {
    Optional<Optional<CudnnAttention.Plan>> known = chosen.get(problem);
    if (known.isPresent()) {
      return known.get();
    }
    String key = "attention " + tensors.dtype() + " " + problem;
    Optional<CudnnAttention.Plan> plan = tuner.choose(key, new Ways(problem, variant, operands));
    chosen.put(problem, plan);
    return plan;
  }

  /** Our kernel, which is advised, and the library's plans. */
  private final class Ways implements Tuner.Ways<Optional<CudnnAttention.Plan>> {
    private final Problem problem;
    private final Variant variant;
    private final long[] operands;

    Ways(Problem problem, Variant variant, long[] operands) {
      this.problem = problem;
      this.variant = variant;
      this.operands = operands;
    }

    @Override
    public Optional<Optional<CudnnAttention.Plan>> named(String id) {
      return id.equals(variant.kernel())
          ? Optional.of(Optional.empty())
          : CudaAttention.this.named(problem, id).map(Optional::of);
    }

    @Override
    public Optional<CudnnAttention.Plan> advised() {
      return Optional.empty();
    }

    @Override
    public List<Optional<CudnnAttention.Plan>> candidates() {
      List<Optional<CudnnAttention.Plan>> all = new ArrayList<>();
      all.add(Optional.empty());
      plans(problem).forEach(plan -> all.add(Optional.of(plan)));
      return all;
    }

    @Override
    public String id(Optional<CudnnAttention.Plan> way) {
      return way.map(CudnnAttention.Plan::id).orElse(variant.kernel());
    }

    @Override
    public void run(Optional<CudnnAttention.Plan> way) {
      if (way.isPresent()) {
        way.get().run(operands[0], operands[1], operands[2], operands[3]);
      } else {
        launch(problem, variant, operands, false);
      }
    }

    @Override
    public void close(Optional<CudnnAttention.Plan> way) {
      way.ifPresent(CudnnAttention.Plan::close);
    }
  }

  private Optional<CudnnAttention.Plan> named(Problem problem, String id) {
    try {
      return library.orElseThrow().named(problem, id);
    } catch (DeviceException e) {
      optional.passOver("attention by cuDNN", problem.toString(), e);
      return Optional.empty();
    }
  }

  private List<CudnnAttention.Plan> plans(Problem problem) {
    try {
      return library.orElseThrow().plans(problem);
    } catch (DeviceException e) {
      optional.passOver("attention by cuDNN", problem.toString(), e);
      return List.of();
    }
  }

  void close() {
    chosen.close();
  }

  /** One head of one sample: scores in fp32, band by band, weights in the storage type. */
  private void attendByProducts(
      Tensor q, Tensor k, Tensor v, Tensor out, int item, int band, float scale, boolean causal) {
    int queries = q.shape().intDim(1);
    int keys = k.shape().intDim(1);
    int dim = q.shape().intDim(2);
    long element = q.dtype().bytes();
    long queryItem = address(q) + (long) item * queries * dim * element;
    long keyItem = address(k) + (long) item * keys * dim * element;
    long valueItem = address(v) + (long) item * keys * dim * element;
    long outItem = address(out) + (long) item * queries * dim * element;
    try (Tensor values = tensors.allocate(Shape.of(dim, keys));
        Tensor scores = tensors.allocate(Shape.of(band, keys), DType.F32);
        Tensor weights = tensors.allocate(Shape.of(band, keys))) {
      transpose(valueItem, address(values), keys, dim, (int) element);
      for (int first = 0; first < queries; first += band) {
        int rows = Math.min(band, queries - first);
        long offset = (long) first * dim * element;
        matrix.multiply(
            MatrixProduct.Call.plain(
                queryItem + offset, keyItem, address(scores), rows, dim, keys, scale, true));
        softmax(address(scores), address(weights), rows, keys, first, causal);
        matrix.multiply(
            MatrixProduct.Call.plain(
                address(weights), address(values), outItem + offset, rows, keys, dim, 1, false));
      }
    }
  }

  private void transpose(long from, long to, int rows, int columns, int element) {
    long kernel = kernels.units("transpose_b" + element);
    kernels.arguments().pointer(from).pointer(to).number(rows).number(columns);
    long tiles = (long) Math.ceilDiv(rows, TILE) * Math.ceilDiv(columns, TILE);
    kernels.launch(kernel, tiles, 1, 1, Kernels.THREADS, 0);
  }

  private void softmax(
      long scores, long weights, int rows, int columns, int firstQuery, boolean causal) {
    long kernel = kernels.typed("softmax");
    kernels
        .arguments()
        .pointer(scores)
        .pointer(weights)
        .number(columns)
        .real(1)
        .number(rows)
        .number(firstQuery)
        .number(causal ? 1 : 0);
    kernels.launch(kernel, rows, 1, 1, Kernels.THREADS, 0);
  }

  /** Which kernel takes a head dimension, queries per block, and the shared memory it needs. */
  record Variant(String kernel, int queries, int sharedBytes) {
    boolean usesTensorCores() {
      return queries == MMA_QUERIES;
    }
  }

  static Variant variant(DType dtype, int dim) {
    if (dtype != DType.F32 && dim % 8 == 0) {
      for (int[] tile : MMA_TILES) {
        if (dim <= tile[0]) {
          int sharedBytes = 4 * tile[1] * (tile[0] + MMA_PAD) * 2;
          return new Variant("attention_mma_" + tile[0], MMA_QUERIES, sharedBytes);
        }
      }
    }
    return new Variant(dim <= 64 ? "attention_simple_64" : WIDE, SIMPLE_QUERIES, 0);
  }
}
