package dev.tintype.sampler.ops;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import java.util.List;

/**
 * The shape rules of the verbs, checked alike on every device. A violation is a fault of the
 * calling code, not of a user: IllegalArgumentException.
 */
public final class Shapes {
  private Shapes() {}

  public static void same(Tensor a, Tensor b) {
    require(a.shape().equals(b.shape()), "different shapes", a, b);
  }

  /** Rank 4, [batch, height, width, channels]. */
  public static void image(Tensor x) {
    require(x.shape().rank() == 4, "not [batch, height, width, channels]", x);
  }

  /** The last dimension of {@code x} has that extent. */
  public static void channels(Tensor x, long channels) {
    require(
        x.shape().rank() >= 2 && x.shape().dim(-1) == channels,
        "last dimension is not " + channels,
        x);
  }

  /** Operands of the epilogue fit a result of that shape. */
  public static void epilogue(Epilogue epilogue, Shape result) {
    epilogue
        .residual()
        .ifPresent(
            residual ->
                require(
                    residual.shape().equals(result), "residual does not fit " + result, residual));
  }

  public static void convolution(Tensor x, PreparedWeights.Conv2d weights) {
    image(x);
    channels(x, weights.inChannels());
    Conv2dGeometry g = weights.geometry();
    require(
        x.shape().dim(1) + g.padTop() + g.padBottom() >= g.kernelHeight()
            && x.shape().dim(2) + g.padLeft() + g.padRight() >= g.kernelWidth(),
        "smaller than the kernel " + g,
        x);
  }

  /** A bias that fits what it is added to. */
  public static void channelBias(ChannelBias bias, Tensor x) {
    Shape rows = bias.rows().shape();
    require(
        rows.rank() == 2
            && rows.dim(0) == x.shape().dim(0)
            && bias.from() >= 0
            && bias.from() + x.shape().dim(-1) <= rows.dim(1),
        "channel bias from column " + bias.from() + " of " + rows + " does not fit",
        x);
  }

  public static void groups(Tensor x, PreparedWeights.Norm weights, int groups) {
    require(x.shape().rank() == 3 || x.shape().rank() == 4, "neither image nor sequence", x);
    channels(x, weights.channels());
    require(weights.channels() % groups == 0, "channels not divisible into " + groups, x);
  }

  public static void attention(Tensor q, Tensor k, Tensor v, int heads, boolean causal) {
    boolean fits =
        q.shape().rank() == 3
            && k.shape().rank() == 3
            && v.shape().equals(k.shape())
            && q.shape().dim(0) == k.shape().dim(0)
            && q.shape().dim(2) == k.shape().dim(2)
            && heads > 0
            && q.shape().dim(2) % heads == 0
            && (!causal || q.shape().dim(1) == k.shape().dim(1));
    require(fits, "not the operands of attention with " + heads + " heads", q, k, v);
  }

  /** Shape of the parts joined along {@code axis}. */
  public static Shape joined(List<Tensor> parts, int axis) {
    Shape first = parts.getFirst().shape();
    long extent = 0;
    for (Tensor part : parts) {
      require(
          part.shape().with(axis, 0).equals(first.with(axis, 0)),
          "cannot be joined with " + first,
          part);
      extent += part.shape().dim(axis);
    }
    return first.with(axis, extent);
  }

  /** Shape of the result of {@link Ops#pixelUnshuffle}. */
  public static Shape unshuffled(Tensor x, int factor) {
    image(x);
    Shape in = x.shape();
    require(in.dim(1) % factor == 0 && in.dim(2) % factor == 0, "not divisible by " + factor, x);
    return Shape.of(in.dim(0), in.dim(1) / factor, in.dim(2) / factor, in.dim(3) * factor * factor);
  }

  /** [count, ...item]. */
  public static Shape batchOf(long count, Shape item) {
    long[] dims = new long[item.rank() + 1];
    dims[0] = count;
    System.arraycopy(item.dims(), 0, dims, 1, item.rank());
    return Shape.of(dims);
  }

  public static void require(boolean holds, String fault, Tensor... operands) {
    if (!holds) {
      throw new IllegalArgumentException(List.of(operands) + ": " + fault);
    }
  }
}
