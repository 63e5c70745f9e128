package dev.tintype.sampler.ops;

import dev.tintype.sampler.device.Shape;

/**
 * Kernel extent, stride and zero padding of a 2-d convolution. Padding may be one-sided: the VAE
 * encoder's downsampler pads right and bottom only.
 */
public record Conv2dGeometry(
    int kernelHeight,
    int kernelWidth,
    int stride,
    int padTop,
    int padLeft,
    int padBottom,
    int padRight) {

  /** Square kernel with the same padding on all sides. */
  public static Conv2dGeometry square(int kernel, int stride, int padding) {
    return new Conv2dGeometry(kernel, kernel, stride, padding, padding, padding, padding);
  }

  /** One product per pixel: a linear layer. */
  public boolean isPointwise() {
    return equals(square(1, 1, 0));
  }

  /** [batch, height, width, in] to [batch, height', width', out]. */
  public Shape output(Shape input, long outChannels) {
    long height = (input.dim(1) + padTop + padBottom - kernelHeight) / stride + 1;
    long width = (input.dim(2) + padLeft + padRight - kernelWidth) / stride + 1;
    return Shape.of(input.dim(0), height, width, outChannels);
  }
}
