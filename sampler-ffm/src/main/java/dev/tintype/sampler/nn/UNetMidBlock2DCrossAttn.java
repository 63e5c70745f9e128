package dev.tintype.sampler.nn;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import java.util.List;

/** The bottom of the UNet: a residual block, a transformer, a residual block. */
public final class UNetMidBlock2DCrossAttn {
  private final ResnetBlock2D resnet0;
  private final Transformer2DModel attention;
  private final ResnetBlock2D resnet1;

  public UNetMidBlock2DCrossAttn(Parameters p, BlockSpec spec, List<Attention> cross) {
    resnet0 = spec.resnet(p.below("resnets.0"), spec.in());
    attention = spec.attention(p.below("attentions.0"), cross);
    resnet1 = spec.resnet(p.below("resnets.1"), spec.out());
  }

  /** {@code x} stays open. */
  public Tensor forward(Tensor x, Tensor time, TextStates text) {
    Tensor hidden = consume(resnet0.forward(x, time), h -> attention.forward(h, text));
    return consume(hidden, h -> resnet1.forward(h, time));
  }
}
