package dev.tintype.sampler.ops.cuda;

/** Linear layers by our own kernels, see {@link ProductTiles}; needs no library. */
class KernelMatrixProduct implements MatrixProduct {
  /** Half a tile. */
  private static final int COLUMNS_MIN = 32;

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
    arguments(kernels.arguments(), call);
    ProductTiles.of(kernels, call, call.inFeatures()).launch(kernels, "linear", call);
  }

  /** Whether it is worth measuring against a library, which has narrower tiles. */
  boolean isFast(int inFeatures, int outFeatures) {
    return outFeatures >= COLUMNS_MIN
        && ProductTiles.usesTensorCores(kernels, inFeatures, inFeatures);
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
        .pointer(call.residual())
        .number(call.activation())
        .real(call.scale());
  }

  @Override
  public boolean isOwn() {
    return true;
  }

  @Override
  public String description() {
    return "own matrix kernels";
  }

  @Override
  public void close() {}
}
