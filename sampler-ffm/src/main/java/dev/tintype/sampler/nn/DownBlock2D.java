package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A level of the UNet on the way down: residual blocks, each followed by a transformer where the
 * level has cross-attention, then a downsampler except on the last level (diffusers {@code
 * DownBlock2D} and {@code CrossAttnDownBlock2D}).
 */
public final class DownBlock2D {
  private final List<ResnetBlock2D> resnets = new ArrayList<>();
  private final List<Transformer2DModel> attentions = new ArrayList<>();
  private final Optional<Downsample2D> downsampler;

  public DownBlock2D(
      Parameters p, BlockSpec spec, boolean downsample, int padding, List<Attention> cross) {
    for (int i = 0; i < spec.resnets(); i++) {
      int in = i == 0 ? spec.in() : spec.out();
      resnets.add(spec.resnet(p.below("resnets", i), in));
      if (spec.hasAttention()) {
        attentions.add(spec.attention(p.below("attentions", i), cross));
      }
    }
    downsampler =
        downsample
            ? Optional.of(Downsample2D.padded(p.below("downsamplers.0"), spec.out(), padding))
            : Optional.empty();
  }

  /**
   * @param x kept open
   * @param skips gets the output of every layer, for the way up; it owns them
   * @return the last of them, owned by {@code skips}
   */
  public Tensor forward(Tensor x, Tensor time, TextStates text, SkipConnections skips) {
    Tensor hidden = x;
    for (int i = 0; i < resnets.size(); i++) {
      Tensor out = resnets.get(i).forward(hidden, time);
      if (!attentions.isEmpty()) {
        Transformer2DModel attention = attentions.get(i);
        out = Tensors.consume(out, h -> attention.forward(h, text));
      }
      hidden = skips.push(out);
    }
    if (downsampler.isPresent()) {
      hidden = skips.push(downsampler.get().forward(hidden));
    }
    return hidden;
  }
}
