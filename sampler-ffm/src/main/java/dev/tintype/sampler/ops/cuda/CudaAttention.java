package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Shapes;

/**
 * Launches of attention: on the tensor cores for 16-bit types and head dimensions up to 160 that
 * are multiples of 8, otherwise in fp32 arithmetic.
 */
final class CudaAttention {
  private static final int THREADS = 128;
  private static final int SIMPLE_QUERIES = 16;
  private static final int MMA_QUERIES = 64;
  private static final int MMA_PAD = 8;

  /** Head dimension that the widest kernel holds in registers. */
  static final int HEAD_DIM_MAX = 512;

  /** Padded head dimensions of the tensor-core kernels, and the keys of their tiles. */
  private static final int[][] MMA_TILES = {{48, 64}, {64, 64}, {80, 64}, {160, 32}};

  private final Kernels kernels;
  private final CudaTensors tensors;

  CudaAttention(Kernels kernels, CudaTensors tensors) {
    this.kernels = kernels;
    this.tensors = tensors;
  }

  Tensor attend(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal) {
    int width = q.shape().intDim(2);
    int dim = width / heads;
    Shapes.require(dim <= HEAD_DIM_MAX, "head dimension over " + HEAD_DIM_MAX, q);
    Tensor out = tensors.allocate(q.shape());
    int queries = q.shape().intDim(1);
    Variant variant = variant(q.dtype(), dim);
    long kernel = kernels.typed(variant.kernel());
    kernels
        .arguments()
        .pointer(address(q))
        .pointer(address(k))
        .pointer(address(v))
        .pointer(address(out))
        .number(queries)
        .number(k.shape().intDim(1))
        .number(dim)
        .number(width)
        .number(width)
        .number(width)
        .number(width)
        .real(scale)
        .number(causal ? 1 : 0);
    kernels.launch(
        kernel,
        Math.ceilDiv(queries, variant.queries()),
        heads,
        q.shape().dim(0),
        THREADS,
        variant.sharedBytes());
    return out;
  }

  /** Which kernel takes a head dimension, queries per block, and the shared memory it needs. */
  record Variant(String kernel, int queries, int sharedBytes) {}

  static Variant variant(DType dtype, int dim) {
    if (dtype != DType.F32 && dim % 8 == 0) {
      for (int[] tile : MMA_TILES) {
        if (dim <= tile[0]) {
          int sharedBytes = 4 * tile[1] * (tile[0] + MMA_PAD) * 2;
          return new Variant("attention_mma_" + tile[0], MMA_QUERIES, sharedBytes);
        }
      }
    }
    return new Variant(
        dim <= 64 ? "attention_simple_64" : "attention_simple_512", SIMPLE_QUERIES, 0);
  }
}
