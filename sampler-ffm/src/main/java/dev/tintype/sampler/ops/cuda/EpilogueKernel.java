package dev.tintype.sampler.ops.cuda;

/** What no library fused into a convolution or linear layer, done in place in one pass. */
final class EpilogueKernel {
  private final Kernels kernels;
  private final int elementBytes;

  EpilogueKernel(Kernels kernels, int elementBytes) {
    this.kernels = kernels;
    this.elementBytes = elementBytes;
  }

  /**
   * x = activation(x + bias) * scale + residual over {@code elements} values; absent parts are 0.
   * Launches nothing when there is nothing to do.
   */
  void apply(
      long x, long elements, int channels, long bias, int activation, float scale, long residual) {
    if (bias == 0 && activation == 0 && scale == 1 && residual == 0) {
      return;
    }
    long kernel = kernels.typed("epilogue");
    kernels
        .arguments()
        .pointer(x)
        .pointer(bias)
        .pointer(residual)
        .wide(elements)
        .number(channels)
        .number(activation)
        .real(scale);
    kernels.launchOver(kernel, Math.ceilDiv(elements * elementBytes, 16));
  }
}
