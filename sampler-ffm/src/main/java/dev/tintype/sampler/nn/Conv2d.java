package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;

/** A 2-d convolution, [n, h, w, in] to [n, h', w', out]; bias where the checkpoint has one. */
public final class Conv2d {
  private final Ops ops;
  private final PreparedWeights.Conv2d weights;

  public Conv2d(Parameters p, int in, int out, Conv2dGeometry geometry) {
    this.ops = p.ops();
    this.weights = p.conv2d(in, out, geometry);
  }

  /** Kernel 3, stride 1, padding 1: keeps height and width. */
  public static Conv2d same3x3(Parameters p, int in, int out) {
    return new Conv2d(p, in, out, Conv2dGeometry.square(3, 1, 1));
  }

  public Tensor forward(Tensor x) {
    return forward(x, Epilogue.NONE);
  }

  public Tensor forward(Tensor x, Epilogue epilogue) {
    return ops.conv2d(x, weights, epilogue);
  }
}
