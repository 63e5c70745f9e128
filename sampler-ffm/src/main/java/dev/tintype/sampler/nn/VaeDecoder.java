package dev.tintype.sampler.nn;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The decoder of the VAE, [n, h, w, in] to [n, h * f, w * f, out] (diffusers {@code Decoder}). */
public final class VaeDecoder {
  private final Conv2d convIn;
  private final VaeMidBlock midBlock;
  private final List<Block> upBlocks = new ArrayList<>();
  private final GroupNorm convNormOut;
  private final Conv2d convOut;

  private record Block(List<ResnetBlock2D> resnets, Optional<Upsample2D> upsampler) {}

  /**
   * @param channels per level, innermost first
   */
  public VaeDecoder(
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
    midBlock = new VaeMidBlock(p.below("mid_block"), width, groups, epsilon, midAttention);
    for (int i = 0; i < channels.size(); i++) {
      Parameters block = p.below("up_blocks", i);
      List<ResnetBlock2D> resnets = new ArrayList<>();
      for (int j = 0; j < resnetsPerBlock; j++) {
        Parameters resnet = block.below("resnets", j);
        resnets.add(
            new ResnetBlock2D(resnet, width, channels.get(i), Optional.empty(), groups, epsilon));
        width = channels.get(i);
      }
      boolean last = i == channels.size() - 1;
      upBlocks.add(
          new Block(
              resnets,
              last
                  ? Optional.empty()
                  : Optional.of(new Upsample2D(block.below("upsamplers.0"), width))));
    }
    convNormOut = new GroupNorm(p.below("conv_norm_out"), width, groups, epsilon);
    convOut = Conv2d.same3x3(p.below("conv_out"), width, out);
  }

  /** {@code x} stays open. */
  public Tensor forward(Tensor x) {
    Tensor hidden = midBlock.forward(convIn.forward(x));
    for (Block block : upBlocks) {
      for (ResnetBlock2D resnet : block.resnets) {
        hidden = consume(hidden, resnet::forward);
      }
      if (block.upsampler.isPresent()) {
        hidden = consume(hidden, block.upsampler.get()::forward);
      }
    }
    hidden = consume(hidden, h -> convNormOut.forward(h, Activation.SILU));
    return consume(hidden, convOut::forward);
  }
}
