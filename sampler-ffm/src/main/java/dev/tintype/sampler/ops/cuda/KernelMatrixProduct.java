package dev.tintype.sampler.ops.cuda;

/** Linear layers by our own fp32 kernel: slow on 16-bit types, needs no library. */
class KernelMatrixProduct implements MatrixProduct {
  /** Rows and columns of a block's tile, GEMM_TILE in gemm.cuh. */
  static final int TILE = 64;

  private final Kernels kernels;

  KernelMatrixProduct(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public boolean widens(long rows, int inFeatures, int outFeatures) {
    return false;
  }

  @Override
  public void multiply(Call call) {
    if (call.wide()) {
      throw new IllegalArgumentException("the matrix kernel gives the storage type only");
    }
    long kernel = kernels.typed("linear");
    arguments(kernels.arguments(), call);
    kernels.launch(
        kernel,
        Math.ceilDiv(call.rows(), TILE),
        Math.ceilDiv(call.outFeatures(), TILE),
        1,
        Kernels.THREADS,
        0);
  }

  /** The parameters that tt_linear and tt_conv2d share. */
  static KernelArguments arguments(KernelArguments arguments, Call call) {
    return arguments
        .pointer(call.x())
        .pointer(call.weights())
        .pointer(call.out())
        .wide(call.rows())
        .number(call.outFeatures())
        .number(call.inFeatures())
        .pointer(call.bias())
        .pointer(call.channelBias())
        .pointer(call.residual())
        .wide(call.rowsPerItem())
        .number(call.activation())
        .real(call.scale());
  }

  @Override
  public String description() {
    return "own matrix kernel";
  }

  @Override
  public void close() {}
}
