package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;

/** Self-attention of CLIP: every projection has a bias, and the text model's is causal. */
public final class ClipAttention {
  private final Attention attention;

  public ClipAttention(Parameters p, int channels, int heads) {
    attention =
        new Attention(
            p.ops(),
            Linear.withBias(p.below("q_proj"), channels, channels),
            Linear.withBias(p.below("k_proj"), channels, channels),
            Linear.withBias(p.below("v_proj"), channels, channels),
            Linear.withBias(p.below("out_proj"), channels, channels),
            channels,
            heads);
  }

  /** [n, tokens, channels] to the same, plus {@code residual}. */
  public Tensor forward(Tensor x, Tensor residual, boolean causal) {
    return attention.forward(x, residual, causal);
  }
}
