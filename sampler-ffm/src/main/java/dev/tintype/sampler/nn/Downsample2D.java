package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Conv2dGeometry;

/** Halves height and width by a 3x3 convolution of stride 2. */
public final class Downsample2D {
  private final Conv2d conv;

  private Downsample2D(Parameters p, int channels, Conv2dGeometry geometry) {
    conv = new Conv2d(p.below("conv"), channels, channels, geometry);
  }

  /** The UNet's: {@code padding} on all sides. */
  public static Downsample2D padded(Parameters p, int channels, int padding) {
    return new Downsample2D(p, channels, Conv2dGeometry.square(3, 2, padding));
  }

  /** The VAE encoder's: one row and column of zeros below and to the right only. */
  public static Downsample2D paddedBottomRight(Parameters p, int channels) {
    return new Downsample2D(p, channels, new Conv2dGeometry(3, 3, 2, 0, 0, 1, 1));
  }

  public Tensor forward(Tensor x) {
    return conv.forward(x);
  }
}
