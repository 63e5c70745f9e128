package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A product and its GEGLU: apart, by what computes products and a pass of its own, or fused in a
 * kernel of ours on the tensor cores (gemm_mma.cuh), which neither writes nor rounds the product.
 * Whichever was measured to be faster for the shape, else apart; fused where products are our own
 * kernels' anyway.
 */
final class CudaGeglu {
  /** Shapes that are remembered. */
  private static final int SHAPES_MAX = 512;

  private enum Way {
    APART("apart"),
    FUSED("fused");

    private final String id;

    Way(String id) {
      this.id = id;
    }
  }

  /** What decides which is faster. */
  private record Problem(long rows, int inFeatures, int outFeatures, boolean bias) {}

  private final Kernels kernels;
  private final CudaTensors tensors;
  private final MatrixProduct matrix;
  private final CudaPointwise pointwise;
  private final Tuner tuner;
  private final PlanCache<Problem, Way> chosen = new PlanCache<>(SHAPES_MAX, () -> {}, way -> {});

  CudaGeglu(
      Kernels kernels,
      CudaTensors tensors,
      MatrixProduct matrix,
      CudaPointwise pointwise,
      Tuner tuner) {
    this.kernels = kernels;
    this.tensors = tensors;
    this.matrix = matrix;
    this.pointwise = pointwise;
    this.tuner = tuner;
  }

  /** [..., in] to [..., out / 2]. */
  Tensor multiply(Tensor x, CudaWeights.Linear weights) {
    return tensors.produce(
        x.shape().with(-1, weights.outFeatures() / 2),
        out -> {
          Work work = new Work(x, weights, out);
          work.run(way(work));
        });
  }

  private Way way(Work work) {
    if (work.tiles.isPlain()) {
      return Way.APART;
    }
    if (matrix.isOwn()) {
      return Way.FUSED;
    }
    Problem problem = work.problem();
    Optional<Way> known = chosen.get(problem);
    if (known.isPresent()) {
      return known.get();
    }
    Way way = tuner.choose("geglu " + tensors.dtype() + " " + problem, work);
    chosen.put(problem, way);
    return way;
  }

  /** One call, and the ways of doing it. */
  private final class Work implements Tuner.Ways<Way> {
    private final Tensor x;
    private final CudaWeights.Linear weights;
    private final Tensor out;
    private final ProductTiles tiles;

    Work(Tensor x, CudaWeights.Linear weights, Tensor out) {
      this.x = x;
      this.weights = weights;
      this.out = out;
      this.tiles = ProductTiles.of(kernels, product(out), weights.inFeatures());
    }

    Problem problem() {
      return new Problem(
          x.elements() / weights.inFeatures(),
          weights.inFeatures(),
          weights.outFeatures(),
          weights.bias() != 0);
    }

    /** Values and gates, whatever becomes of them. */
    private MatrixProduct.Call product(Tensor result) {
      Problem p = problem();
      return new MatrixProduct.Call(
          address(x),
          weights.address(),
          address(result),
          p.rows(),
          p.inFeatures(),
          p.outFeatures(),
          weights.bias(),
          0,
          1,
          0,
          false);
    }

    @Override
    public Optional<Way> named(String id) {
      return candidates().stream().filter(way -> way.id.equals(id)).findFirst();
    }

    @Override
    public Way advised() {
      return Way.APART;
    }

    @Override
    public List<Way> candidates() {
      return Arrays.asList(Way.values());
    }

    @Override
    public String id(Way way) {
      return way.id;
    }

    @Override
    public void run(Way way) {
      switch (way) {
        case APART -> runApart();
        case FUSED -> runFused();
      }
    }

    private void runApart() {
      try (Tensor both = tensors.allocate(x.shape().with(-1, weights.outFeatures()))) {
        matrix.multiply(product(both));
        pointwise.geglu(both, out);
      }
    }

    private void runFused() {
      MatrixProduct.Call call = product(out);
      kernels
          .arguments()
          .pointer(call.x())
          .pointer(call.weights())
          .pointer(call.out())
          .wide(call.rows())
          .number(call.outFeatures() / 2)
          .number(call.inFeatures())
          .pointer(call.bias());
      tiles.launch(kernels, "linear_geglu", call);
    }
  }
}
