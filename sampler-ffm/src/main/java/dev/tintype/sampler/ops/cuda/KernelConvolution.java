package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.ops.Conv2dGeometry;

/**
 * Convolutions by our own kernels, see {@link ProductTiles}; need no library, pad any way. Input
 * channels are padded for the tensor cores where weights for that are there; outputs need it not.
 */
final class KernelConvolution implements Convolution {
  private final Kernels kernels;
  private final ChannelPadding padding;

  KernelConvolution(Kernels kernels, ChannelPadding padding) {
    this.kernels = kernels;
    this.padding = padding;
  }

  @Override
  public void convolve(Problem problem, Call call) {
    int wide = ChannelPadding.padded(problem.inChannels());
    if (wide != problem.inChannels() && call.paddedWeights() != 0 && isFast(problem)) {
      Problem padded = problem.withChannels(wide, problem.outChannels());
      padding.widened(problem, call, widened -> launch(padded, widened));
    } else {
      launch(problem, call);
    }
  }

  private void launch(Problem problem, Call call) {
    Conv2dGeometry g = problem.geometry();
    MatrixProduct.Call product =
        new MatrixProduct.Call(
            call.x(),
            call.weights(),
            call.out(),
            problem.outPixels(),
            depth(problem, problem.inChannels()),
            problem.outChannels(),
            call.bias(),
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

  private static int depth(Problem problem, int channels) {
    Conv2dGeometry g = problem.geometry();
    return Math.multiplyExact(g.kernelHeight() * g.kernelWidth(), channels);
  }

  /** Whether it is worth measuring against a library: on the tensor cores, padded or not. */
  boolean isFast(Problem problem) {
    int wide = ChannelPadding.padded(problem.inChannels());
    return ProductTiles.usesTensorCores(kernels, wide, depth(problem, wide));
  }

  @Override
  public String description() {
    return "own convolution kernels";
  }

  @Override
  public void close() {}
}
