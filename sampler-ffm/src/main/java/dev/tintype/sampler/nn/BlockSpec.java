package dev.tintype.sampler.nn;

import java.util.List;
import java.util.Optional;

/**
 * What the blocks of one level of a UNet have in common.
 *
 * @param in channels that enter the level
 * @param out channels of everything after its first residual block
 * @param time the projections of the time embedding, to which each residual block adds its own
 * @param resnets residual blocks in the level
 * @param transformerLayers transformer blocks after each residual block; 0 without attention
 * @param heads attention heads
 * @param textChannels width of the encoded prompt
 * @param groups of every GroupNorm
 * @param epsilon of the residual blocks' GroupNorm
 * @param linearProjection see {@link Transformer2DModel}
 */
public record BlockSpec(
    int in,
    int out,
    TimeProjections time,
    int resnets,
    int transformerLayers,
    int heads,
    int textChannels,
    int groups,
    double epsilon,
    boolean linearProjection) {

  boolean hasAttention() {
    return transformerLayers > 0;
  }

  ResnetBlock2D resnet(Parameters p, int resnetIn) {
    return new ResnetBlock2D(p, resnetIn, out, Optional.of(time), groups, epsilon);
  }

  Transformer2DModel attention(Parameters p, List<Attention> cross) {
    return new Transformer2DModel(
        p, out, textChannels, heads, transformerLayers, groups, linearProjection, cross);
  }
}
