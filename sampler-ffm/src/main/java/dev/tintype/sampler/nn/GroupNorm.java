package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;
import java.util.Optional;

/** Normalisation over the pixels and channels of each group, with SiLU fused where one follows. */
public final class GroupNorm {
  private final Ops ops;
  private final PreparedWeights.Norm weights;
  private final int groups;
  private final float epsilon;

  public GroupNorm(Parameters p, int channels, int groups, double epsilon) {
    this.ops = p.ops();
    this.weights = p.norm(channels);
    this.groups = groups;
    this.epsilon = (float) epsilon;
  }

  public Tensor forward(Tensor x, Activation activation) {
    return ops.groupNorm(x, weights, groups, epsilon, activation);
  }

  /** Of {@code x} plus {@code bias}. */
  Tensor forward(Tensor x, ChannelBias bias, Activation activation) {
    return ops.groupNorm(x, Optional.of(bias), weights, groups, epsilon, activation);
  }
}
