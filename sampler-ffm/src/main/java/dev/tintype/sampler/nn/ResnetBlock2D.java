package dev.tintype.sampler.nn;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import dev.tintype.sampler.ops.Epilogue;
import java.util.Optional;

/**
 * Norm, SiLU, convolution, time embedding, norm, SiLU, convolution, around a shortcut; [n, h, w,
 * in] to [n, h, w, out] (diffusers {@code ResnetBlock2D}, time_scale_shift "default").
 */
public final class ResnetBlock2D {
  private final GroupNorm norm1;
  private final Conv2d conv1;
  private final Optional<TimeProjections.Columns> timeColumns;
  private final GroupNorm norm2;
  private final Conv2d conv2;
  private final Optional<Linear> convShortcut;

  /**
   * @param time gets this block's projection of the time embedding; empty in the VAE, which has
   *     none
   */
  public ResnetBlock2D(
      Parameters p, int in, int out, Optional<TimeProjections> time, int groups, double epsilon) {
    norm1 = new GroupNorm(p.below("norm1"), in, groups, epsilon);
    conv1 = Conv2d.same3x3(p.below("conv1"), in, out);
    timeColumns = time.map(t -> t.add(p.below("time_emb_proj"), out));
    norm2 = new GroupNorm(p.below("norm2"), out, groups, epsilon);
    conv2 = Conv2d.same3x3(p.below("conv2"), out, out);
    convShortcut =
        in == out
            ? Optional.empty()
            : Optional.of(Linear.pointwise(p.below("conv_shortcut"), in, out));
  }

  /** Without a time embedding, as in the VAE. */
  public Tensor forward(Tensor x) {
    return second(consume(first(x), h -> norm2.forward(h, Activation.SILU)), x);
  }

  /**
   * @param time the projected time embedding, [rows, channels of all blocks], at least as many rows
   *     as {@code x} has; row i belongs to item i
   */
  public Tensor forward(Tensor x, Tensor time) {
    Tensor rows = time.slice(0, x.shape().dim(0));
    // Where it is read next, which spares a pass over what the convolution wrote.
    ChannelBias bias = new ChannelBias(rows, timeColumns.orElseThrow().from());
    return second(consume(first(x), h -> norm2.forward(h, bias, Activation.SILU)), x);
  }

  private Tensor first(Tensor x) {
    return consume(norm1.forward(x, Activation.SILU), conv1::forward);
  }

  private Tensor second(Tensor normed, Tensor x) {
    if (convShortcut.isEmpty()) {
      return consume(normed, h -> conv2.forward(h, Epilogue.NONE.withResidual(x)));
    }
    return consume(
        normed,
        h ->
            consume(
                convShortcut.get().forward(x),
                shortcut -> conv2.forward(h, Epilogue.NONE.withResidual(shortcut))));
  }
}
