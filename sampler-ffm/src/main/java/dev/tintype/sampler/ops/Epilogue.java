package dev.tintype.sampler.ops;

import dev.tintype.sampler.device.Tensor;
import java.util.Optional;

/**
 * What is done to the result of a convolution or linear layer before it is written, in this order:
 * add the bias of the weights, add {@code channelBias} (of each item its own, the time embedding of
 * a residual block), apply {@code activation}, multiply by {@code scale}, add {@code residual}
 * (shape of the result). Fusing these saves a pass over memory each.
 */
public record Epilogue(
    Optional<ChannelBias> channelBias,
    Activation activation,
    float scale,
    Optional<Tensor> residual) {
  public static final Epilogue NONE =
      new Epilogue(Optional.empty(), Activation.NONE, 1f, Optional.empty());

  public static Epilogue of(Activation activation) {
    return new Epilogue(Optional.empty(), activation, 1f, Optional.empty());
  }

  /** As many columns of {@code rows}, [items, width], as there are channels, from this one on. */
  public Epilogue withChannelBias(Tensor rows, int from) {
    return new Epilogue(Optional.of(new ChannelBias(rows, from)), activation, scale, residual);
  }

  public Epilogue withChannelBias(Tensor rows) {
    return withChannelBias(rows, 0);
  }

  public Epilogue withResidual(Tensor tensor) {
    return new Epilogue(channelBias, activation, scale, Optional.of(tensor));
  }

  public Epilogue withScale(float factor) {
    return new Epilogue(channelBias, activation, factor, residual);
  }

  /**
   * An addend per item and channel, where it lies in a wider tensor.
   *
   * @param rows [items, width]
   * @param from column of the first channel
   */
  public record ChannelBias(Tensor rows, int from) {
    /** Elements from one item's channels to the next item's. */
    public int stride() {
      return rows.shape().intDim(1);
    }
  }
}
