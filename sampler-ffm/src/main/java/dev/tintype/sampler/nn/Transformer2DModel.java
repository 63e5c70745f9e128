package dev.tintype.sampler.nn;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import java.util.ArrayList;
import java.util.List;

/** Transformer blocks over the pixels of an image, around a residual; [n, h, w, c] to the same. */
public final class Transformer2DModel {
  private static final double NORM_EPSILON = 1e-6;

  private final Ops ops;
  private final GroupNorm norm;
  private final Linear projIn;
  private final List<BasicTransformerBlock> transformerBlocks = new ArrayList<>();
  private final Linear projOut;

  /**
   * @param linearProjection whether the checkpoint stores proj_in and proj_out as linear layers
   *     instead of 1x1 convolutions; the arithmetic is the same
   */
  public Transformer2DModel(
      Parameters p,
      int channels,
      int textChannels,
      int heads,
      int layers,
      int groups,
      boolean linearProjection,
      List<Attention> crossAttentions) {
    ops = p.ops();
    norm = new GroupNorm(p.below("norm"), channels, groups, NORM_EPSILON);
    projIn = projection(p.below("proj_in"), channels, linearProjection);
    for (int i = 0; i < layers; i++) {
      Parameters block = p.below("transformer_blocks", i);
      transformerBlocks.add(
          new BasicTransformerBlock(block, channels, textChannels, heads, crossAttentions));
    }
    projOut = projection(p.below("proj_out"), channels, linearProjection);
  }

  private static Linear projection(Parameters p, int channels, boolean linear) {
    return linear
        ? Linear.withBias(p, channels, channels)
        : Linear.pointwise(p, channels, channels);
  }

  public Tensor forward(Tensor x, TextStates text) {
    Shape shape = x.shape();
    long tokens = shape.dim(1) * shape.dim(2);
    Tensor hidden =
        consume(
            norm.forward(x, Activation.NONE),
            normed -> projIn.forward(normed.reshape(shape.dim(0), tokens, shape.dim(3))));
    for (BasicTransformerBlock block : transformerBlocks) {
      hidden = consume(hidden, h -> block.forward(h, text));
    }
    return consume(
        hidden,
        h -> {
          long rows = h.shape().dim(0);
          Tensor image = h.reshape(rows, shape.dim(1), shape.dim(2), shape.dim(3));
          return Tensors.withRows(
              ops, x, rows, r -> projOut.forward(image, Epilogue.NONE.withResidual(r)));
        });
  }
}
