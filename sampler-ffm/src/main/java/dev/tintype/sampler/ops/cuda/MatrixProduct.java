package dev.tintype.sampler.ops.cuda;

/** How linear layers are computed: by cublasLt, or by our own kernel where that is missing. */
interface MatrixProduct extends AutoCloseable {

  /**
   * One product out = epilogue(x W^T), all row-major: x [rows, in], W [out, in].
   *
   * @param bias [out], or 0
   * @param residual [rows, out], or 0
   * @param wide the result is fp32 whatever the storage type; then there is nothing but the scale
   */
  record Call(
      long x,
      long weights,
      long out,
      long rows,
      int inFeatures,
      int outFeatures,
      long bias,
      int activation,
      float scale,
      long residual,
      boolean wide) {

    /** scale x W^T and nothing else. */
    static Call plain(
        long x, long weights, long out, long rows, int in, int outs, float scale, boolean wide) {
      return new Call(x, weights, out, rows, in, outs, 0, 0, scale, 0, wide);
    }
  }

  void multiply(Call call);

  /** Whether {@link Call#wide} results of that shape can be had. */
  boolean widens(long rows, int inFeatures, int outFeatures);

  /** Whether our own kernels compute all products, so that there is no library to measure. */
  default boolean isOwn() {
    return false;
  }

  /** For people: name and version. */
  String description();

  @Override
  void close();
}
