package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;

/** Normalisation over the last dimension. */
public final class LayerNorm {
  private final Ops ops;
  private final PreparedWeights.Norm weights;
  private final float epsilon;

  public LayerNorm(Parameters p, int channels, double epsilon) {
    this.ops = p.ops();
    this.weights = p.norm(channels);
    this.epsilon = (float) epsilon;
  }

  public Tensor forward(Tensor x) {
    return ops.layerNorm(x, weights, epsilon);
  }
}
