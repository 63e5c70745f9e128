package dev.tintype.sampler.nn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;

/**
 * Multi-head attention, from [n, tokens, channels] to the same shape (diffusers {@code Attention}).
 * In the UNet the projections to query, key and value have no bias.
 */
public final class Attention {
  private final Ops ops;
  private final Linear toQ;
  private final Linear toK;
  private final Linear toV;
  private final Linear toOut;
  private final int heads;
  private final float scale;

  /**
   * @param contextChannels width of what keys and values are made from; {@code channels} for
   *     self-attention
   */
  public Attention(Parameters p, int channels, int contextChannels, int heads) {
    this(
        p.ops(),
        Linear.withoutBias(p.below("to_q"), channels, channels),
        Linear.withoutBias(p.below("to_k"), contextChannels, channels),
        Linear.withoutBias(p.below("to_v"), contextChannels, channels),
        Linear.withBias(p.below("to_out.0"), channels, channels),
        channels,
        heads);
  }

  Attention(Ops ops, Linear toQ, Linear toK, Linear toV, Linear toOut, int channels, int heads) {
    this.ops = ops;
    this.toQ = toQ;
    this.toK = toK;
    this.toV = toV;
    this.toOut = toOut;
    this.heads = heads;
    this.scale = (float) (1 / Math.sqrt((double) channels / heads));
  }

  /** Self-attention of {@code x}, plus {@code residual}. */
  public Tensor forward(Tensor x, Tensor residual) {
    return forward(x, residual, false);
  }

  /** As {@link #forward(Tensor, Tensor)}; causal: no token sees a later one. */
  Tensor forward(Tensor x, Tensor residual, boolean causal) {
    try (Tensor key = toK.forward(x);
        Tensor value = toV.forward(x)) {
      return attend(x, key, value, residual, causal);
    }
  }

  /** Attention of {@code x} to keys and values made before, plus {@code residual}. */
  public Tensor forward(Tensor x, KeyValue context, Tensor residual) {
    return attend(x, context.key(), context.value(), residual, false);
  }

  /** The keys and values of a context, [n, tokens, channels] each: once per prompt. */
  public KeyValue keyValue(Tensor context) {
    Tensor key = toK.forward(context);
    try {
      return new KeyValue(key, toV.forward(context));
    } catch (RuntimeException e) {
      key.close();
      throw e;
    }
  }

  private Tensor attend(Tensor x, Tensor key, Tensor value, Tensor residual, boolean causal) {
    Tensor attended =
        Tensors.consume(
            toQ.forward(x), query -> ops.attention(query, key, value, heads, scale, causal));
    return Tensors.consume(attended, a -> toOut.forward(a, Epilogue.NONE.withResidual(residual)));
  }
}
