package dev.tintype.sampler.nn;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The encoder of the VAE, [n, h, w, in] to [n, h / f, w / f, out] (diffusers {@code Encoder}). */
public final class VaeEncoder {
  private final Conv2d convIn;
  private final List<Block> downBlocks = new ArrayList<>();
  private final VaeMidBlock midBlock;
  private final GroupNorm convNormOut;
  private final Conv2d convOut;

  private record Block(List<ResnetBlock2D> resnets, Optional<Downsample2D> downsampler) {}

  public VaeEncoder(
      Parameters p,
      int in,
      int out,
      List<Integer> channels,
      int resnetsPerBlock,
      int groups,
      double epsilon,
      boolean midAttention) {
    int width = channels.getFirst();
    convIn = Conv2d.same3x3(p.below("conv_in"), in, width);
    for (int i = 0; i < channels.size(); i++) {
      Parameters block = p.below("down_blocks", i);
      List<ResnetBlock2D> resnets = new ArrayList<>();
      for (int j = 0; j < resnetsPerBlock; j++) {
        Parameters resnet = block.below("resnets", j);
        resnets.add(
            new ResnetBlock2D(resnet, width, channels.get(i), Optional.empty(), groups, epsilon));
        width = channels.get(i);
      }
      boolean last = i == channels.size() - 1;
      downBlocks.add(
          new Block(
              resnets,
              last
                  ? Optional.empty()
                  : Optional.of(
                      Downsample2D.paddedBottomRight(block.below("downsamplers.0"), width))));
    }
    midBlock = new VaeMidBlock(p.below("mid_block"), width, groups, epsilon, midAttention);
    convNormOut = new GroupNorm(p.below("conv_norm_out"), width, groups, epsilon);
    convOut = Conv2d.same3x3(p.below("conv_out"), width, out);
  }

  /** {@code x} stays open. */
  public Tensor forward(Tensor x) {
    Tensor hidden = convIn.forward(x);
    for (Block block : downBlocks) {
      for (ResnetBlock2D resnet : block.resnets) {
        hidden = consume(hidden, resnet::forward);
      }
      if (block.downsampler.isPresent()) {
        hidden = consume(hidden, block.downsampler.get()::forward);
      }
    }
    hidden = midBlock.forward(hidden);
    hidden = consume(hidden, h -> convNormOut.forward(h, Activation.SILU));
    return consume(hidden, convOut::forward);
  }
}
