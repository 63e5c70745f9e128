package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import java.util.List;
import java.util.Optional;

/**
 * {@link Attention} of a sequence to itself, in the UNet: where the device gains from it, one
 * projection gives queries, keys and values together, with the same sums.
 */
final class SelfAttention {
  private final Ops ops;
  private final Optional<Attention> apart;
  private final Optional<Linear> toQkv;
  private final Optional<Linear> toOut;
  private final int heads;
  private final float scale;

  SelfAttention(Parameters p, int channels, int heads) {
    this.ops = p.ops();
    this.heads = heads;
    this.scale = (float) (1 / Math.sqrt((double) channels / heads));
    if (ops.joinsProjections()) {
      apart = Optional.empty();
      toQkv = Optional.of(Linear.joined(p, List.of("to_q", "to_k", "to_v"), channels, channels));
      toOut = Optional.of(Linear.withBias(p.below("to_out.0"), channels, channels));
    } else {
      apart = Optional.of(new Attention(p, channels, channels, heads));
      toQkv = Optional.empty();
      toOut = Optional.empty();
    }
  }

  /** Self-attention of {@code x}, plus {@code residual}. */
  Tensor forward(Tensor x, Tensor residual) {
    if (apart.isPresent()) {
      return apart.get().forward(x, residual);
    }
    Tensor attended =
        Tensors.consume(
            toQkv.orElseThrow().forward(x), joined -> ops.selfAttention(joined, heads, scale));
    return Tensors.consume(
        attended, a -> toOut.orElseThrow().forward(a, Epilogue.NONE.withResidual(residual)));
  }
}
