package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;

/** Nearest neighbour to a larger size, then a 3x3 convolution. */
public final class Upsample2D {
  private final Ops ops;
  private final Conv2d conv;

  public Upsample2D(Parameters p, int channels) {
    ops = p.ops();
    conv = Conv2d.same3x3(p.below("conv"), channels, channels);
  }

  /** To twice the height and width. */
  public Tensor forward(Tensor x) {
    return forward(x, x.shape().intDim(1) * 2, x.shape().intDim(2) * 2);
  }

  /** To a given size, for images whose halves were rounded up on the way down. */
  public Tensor forward(Tensor x, int height, int width) {
    return Tensors.consume(ops.upsampleNearest(x, height, width), conv::forward);
  }
}
