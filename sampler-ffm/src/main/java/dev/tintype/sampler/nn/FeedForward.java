package dev.tintype.sampler.nn;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Epilogue;

/** GEGLU to four times the width and back (diffusers {@code FeedForward}, "geglu"). */
public final class FeedForward {
  private static final int EXPANSION = 4;

  private final Linear proj;
  private final Linear out;

  public FeedForward(Parameters p, int channels) {
    int inner = channels * EXPANSION;
    proj = Linear.withBias(p.below("net.0.proj"), channels, 2 * inner);
    out = Linear.withBias(p.below("net.2"), inner, channels);
  }

  public Tensor forward(Tensor x, Tensor residual) {
    return consume(proj.forwardGeglu(x), h -> out.forward(h, Epilogue.NONE.withResidual(residual)));
  }
}
