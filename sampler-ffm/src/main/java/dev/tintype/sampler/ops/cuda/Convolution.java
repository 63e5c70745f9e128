package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.ops.Conv2dGeometry;
import java.util.Optional;

/** How convolutions are computed: by cuDNN, or by our own kernel where that is missing. */
interface Convolution extends AutoCloseable {

  /** What decides which algorithm is best: everything but the addresses. */
  record Problem(
      int samples,
      int height,
      int width,
      int inChannels,
      int outHeight,
      int outWidth,
      int outChannels,
      Conv2dGeometry geometry) {

    boolean isSymmetric() {
      return geometry.padTop() == geometry.padBottom() && geometry.padLeft() == geometry.padRight();
    }

    /** Of all samples of the result. */
    long outPixels() {
      return (long) samples * outHeight * outWidth;
    }

    Problem withChannels(int in, int out) {
      return new Problem(samples, height, width, in, outHeight, outWidth, out, geometry);
    }
  }

  /**
   * Addresses of one call; those that are absent are 0. See {@link MatrixProduct.Call}.
   *
   * @param paddedWeights the same weights for {@linkplain ChannelPadding padded} channels
   */
  record Call(
      long x,
      long weights,
      long paddedWeights,
      long out,
      long bias,
      int activation,
      float scale,
      long residual) {

    /** With another input, and weights for it. */
    Call reading(long otherX, long otherWeights) {
      return new Call(otherX, otherWeights, 0, out, bias, activation, scale, residual);
    }

    Call withoutPadding() {
      return reading(x, weights);
    }

    /** The sums alone, to another address. */
    Call plainInto(long otherOut) {
      return new Call(x, weights, paddedWeights, otherOut, 0, 0, 1, 0);
    }
  }

  void convolve(Problem problem, Call call);

  /** Attention by the same library, where it has it. */
  default Optional<CudnnAttention> attention() {
    return Optional.empty();
  }

  /** For people: name and version. */
  String description();

  @Override
  void close();
}
