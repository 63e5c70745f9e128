package dev.tintype.sampler.ops.cuda;

/** How linear layers are computed: by cublasLt, or by our own kernel where that is missing. */
interface MatrixProduct extends AutoCloseable {

  /**
   * One product out = epilogue(x W^T), all row-major: x [rows, in], W [out, in].
   *
   * @param bias [out], or 0
   * @param channelBias [items, out], or 0
   * @param rowsPerItem rows that share a row of {@code channelBias}
   * @param residual [rows, out], or 0
   */
  record Call(
      long x,
      long weights,
      long out,
      long rows,
      int inFeatures,
      int outFeatures,
      long bias,
      long channelBias,
      long rowsPerItem,
      int activation,
      float scale,
      long residual) {}

  void multiply(Call call);

  /** For people: name and version. */
  String description();

  @Override
  void close();
}
