package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.ops.Conv2dGeometry;

/** Convolutions by our own kernels, see {@link ProductTiles}; need no library, pad any way. */
final class KernelConvolution implements Convolution {
  private final Kernels kernels;

  KernelConvolution(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public void convolve(Problem problem, Call call) {
    Conv2dGeometry g = problem.geometry();
    long pixels = (long) problem.outHeight() * problem.outWidth();
    long rows = problem.samples() * pixels;
    int taps = g.kernelHeight() * g.kernelWidth();
    MatrixProduct.Call product =
        new MatrixProduct.Call(
            call.x(),
            call.weights(),
            call.out(),
            rows,
            Math.multiplyExact(taps, problem.inChannels()),
            problem.outChannels(),
            call.bias(),
            call.channelBias(),
            pixels,
            call.activation(),
            call.scale(),
            call.residual(),
            false);
    KernelMatrixProduct.arguments(kernels.arguments(), product)
        .number(problem.height())
        .number(problem.width())
        .number(problem.inChannels())
        .number(problem.outHeight())
        .number(problem.outWidth())
        .number(g.kernelWidth())
        .number(g.stride())
        .number(g.padTop())
        .number(g.padLeft());
    ProductTiles.of(kernels, product, problem.inChannels()).launch(kernels, "conv2d", product);
  }

  /** Whether it is worth measuring against a library. */
  boolean isFast(Problem problem) {
    return ProductTiles.usesTensorCores(kernels, problem.inChannels(), problem.outChannels());
  }

  @Override
  public String description() {
    return "own convolution kernels";
  }

  @Override
  public void close() {}
}
