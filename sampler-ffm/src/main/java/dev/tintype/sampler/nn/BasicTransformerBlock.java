package dev.tintype.sampler.nn;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import java.util.List;

/**
 * Self-attention, cross-attention to the text, feed-forward; each after a LayerNorm and around a
 * residual. [n, tokens, channels] to the same.
 */
final class BasicTransformerBlock {
  private static final double NORM_EPSILON = 1e-5;

  private final Ops ops;
  private final LayerNorm norm1;
  private final SelfAttention attn1;
  private final LayerNorm norm2;
  private final Attention attn2;
  private final LayerNorm norm3;
  private final FeedForward ff;
  private final int textLayer;

  /**
   * @param crossAttentions every cross-attention of the UNet so far; this block adds its own
   */
  BasicTransformerBlock(
      Parameters p, int channels, int textChannels, int heads, List<Attention> crossAttentions) {
    ops = p.ops();
    norm1 = new LayerNorm(p.below("norm1"), channels, NORM_EPSILON);
    attn1 = new SelfAttention(p.below("attn1"), channels, heads);
    norm2 = new LayerNorm(p.below("norm2"), channels, NORM_EPSILON);
    attn2 = new Attention(p.below("attn2"), channels, textChannels, heads);
    norm3 = new LayerNorm(p.below("norm3"), channels, NORM_EPSILON);
    ff = new FeedForward(p.below("ff"), channels);
    textLayer = crossAttentions.size();
    crossAttentions.add(attn2);
  }

  /**
   * Where the text has more rows than {@code x}, the rows of {@code x} are still the same for all
   * prompts (guided and unguided half), and part ways here.
   */
  Tensor forward(Tensor x, TextStates text) {
    Tensor hidden = consume(norm1.forward(x), normed -> attn1.forward(normed, x));
    hidden = consume(hidden, h -> Tensors.withRows(ops, h, text.rows(), r -> crossAttend(r, text)));
    return consume(hidden, h -> consume(norm3.forward(h), normed -> ff.forward(normed, h)));
  }

  private Tensor crossAttend(Tensor x, TextStates text) {
    return consume(norm2.forward(x), normed -> attn2.forward(normed, text.layer(textLayer), x));
  }
}
