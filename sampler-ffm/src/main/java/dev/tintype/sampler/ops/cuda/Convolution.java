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

    /** One product per pixel: a linear layer. */
    boolean isPointwise() {
      return geometry.equals(Conv2dGeometry.square(1, 1, 0));
    }
  }

  /** Addresses of one call; those that are absent are 0. See {@link MatrixProduct.Call}. */
  record Call(
      long x,
      long weights,
      long out,
      long bias,
      long channelBias,
      int activation,
      float scale,
      long residual) {}

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
