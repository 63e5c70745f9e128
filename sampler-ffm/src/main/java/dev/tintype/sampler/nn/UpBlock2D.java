package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A level of the UNet on the way up: residual blocks over the hidden state joined with the skip
 * connection of the way down, transformers where the level has cross-attention, then an upsampler
 * except on the last level (diffusers {@code UpBlock2D} and {@code CrossAttnUpBlock2D}).
 */
public final class UpBlock2D {
  private final Ops ops;
  private final List<ResnetBlock2D> resnets = new ArrayList<>();
  private final List<Transformer2DModel> attentions = new ArrayList<>();
  private final Optional<Upsample2D> upsampler;

  /**
   * @param skipIn channels of the last skip connection, which comes from the level above
   */
  public UpBlock2D(
      Parameters p, BlockSpec spec, int skipIn, boolean upsample, List<Attention> cross) {
    ops = p.ops();
    for (int i = 0; i < spec.resnets(); i++) {
      int hidden = i == 0 ? spec.in() : spec.out();
      int skip = i == spec.resnets() - 1 ? skipIn : spec.out();
      resnets.add(spec.resnet(p.below("resnets", i), hidden + skip));
      if (spec.hasAttention()) {
        attentions.add(spec.attention(p.below("attentions", i), cross));
      }
    }
    upsampler =
        upsample
            ? Optional.of(new Upsample2D(p.below("upsamplers.0"), spec.out()))
            : Optional.empty();
  }

  /**
   * @param x closed
   * @param skips gives one tensor per residual block
   */
  public Tensor forward(Tensor x, Tensor time, TextStates text, SkipConnections skips) {
    Tensor hidden = x;
    for (int i = 0; i < resnets.size(); i++) {
      ResnetBlock2D resnet = resnets.get(i);
      Tensor joined = Tensors.consume(hidden, h -> join(h, skips));
      hidden = Tensors.consume(joined, h -> resnet.forward(h, time));
      if (!attentions.isEmpty()) {
        Transformer2DModel attention = attentions.get(i);
        hidden = Tensors.consume(hidden, h -> attention.forward(h, text));
      }
    }
    if (upsampler.isPresent()) {
      // Not simply twice the size: an odd height was rounded up on the way down.
      Shape target = skips.peek().shape();
      return Tensors.consume(
          hidden, h -> upsampler.get().forward(h, target.intDim(1), target.intDim(2)));
    }
    return hidden;
  }

  private Tensor join(Tensor hidden, SkipConnections skips) {
    return Tensors.consume(
        skips.pop(),
        skip ->
            Tensors.withRows(
                ops,
                skip,
                hidden.shape().dim(0),
                rows -> ops.concatChannels(List.of(hidden, rows))));
  }
}
