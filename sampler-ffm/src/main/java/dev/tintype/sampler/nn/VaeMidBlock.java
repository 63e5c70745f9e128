package dev.tintype.sampler.nn;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import java.util.Optional;

/** The middle of the VAE: a residual block, attention of one head, a residual block. */
final class VaeMidBlock {
  private final ResnetBlock2D resnet0;
  private final Optional<PixelAttention> attention;
  private final ResnetBlock2D resnet1;

  VaeMidBlock(Parameters p, int channels, int groups, double epsilon, boolean attends) {
    Optional<TimeProjections> noTime = Optional.empty();
    resnet0 = new ResnetBlock2D(p.below("resnets.0"), channels, channels, noTime, groups, epsilon);
    attention =
        attends
            ? Optional.of(new PixelAttention(p.below("attentions.0"), channels, groups, epsilon))
            : Optional.empty();
    resnet1 = new ResnetBlock2D(p.below("resnets.1"), channels, channels, noTime, groups, epsilon);
  }

  /** {@code x} is closed. */
  Tensor forward(Tensor x) {
    Tensor hidden = consume(x, resnet0::forward);
    if (attention.isPresent()) {
      hidden = consume(hidden, attention.get()::forward);
    }
    return consume(hidden, resnet1::forward);
  }

  /** Attention over all pixels, one head, around a residual. */
  private static final class PixelAttention {
    private final GroupNorm groupNorm;
    private final Attention attention;

    PixelAttention(Parameters p, int channels, int groups, double epsilon) {
      groupNorm = new GroupNorm(p.below("group_norm"), channels, groups, epsilon);
      // Checkpoints from before diffusers 0.15 have other names for the same four layers.
      boolean old = p.contains("query.weight");
      attention =
          new Attention(
              p.ops(),
              Linear.withBias(p.below(old ? "query" : "to_q"), channels, channels),
              Linear.withBias(p.below(old ? "key" : "to_k"), channels, channels),
              Linear.withBias(p.below(old ? "value" : "to_v"), channels, channels),
              Linear.withBias(p.below(old ? "proj_attn" : "to_out.0"), channels, channels),
              channels,
              1);
    }

    Tensor forward(Tensor x) {
      Shape shape = x.shape();
      long pixels = shape.dim(1) * shape.dim(2);
      Tensor flat = x.reshape(shape.dim(0), pixels, shape.dim(3));
      Tensor normed = groupNorm.forward(flat, Activation.NONE);
      Tensor sum = consume(normed, n -> attention.forward(n, flat));
      return imageOf(sum, shape);
    }

    /**
     * The same memory seen as an image. A view owns nothing, so the result is a tensor whose close
     * closes the sequence it came from.
     */
    private static Tensor imageOf(Tensor sequence, Shape shape) {
      return Tensor.owning(shape, sequence.dtype(), sequence.data(), sequence::close);
    }
  }
}
