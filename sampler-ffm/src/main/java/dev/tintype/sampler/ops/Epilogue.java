package dev.tintype.sampler.ops;

import dev.tintype.sampler.device.Tensor;
import java.util.Optional;

/**
 * What is done to the result of a convolution or linear layer before it is written, in this order:
 * add the bias of the weights, add {@code channelBias} ([batch, channels], the time embedding of a
 * residual block), apply {@code activation}, multiply by {@code scale}, add {@code residual} (shape
 * of the result). Fusing these saves a pass over memory each.
 */
public record Epilogue(
    Optional<Tensor> channelBias, Activation activation, float scale, Optional<Tensor> residual) {
  public static final Epilogue NONE =
      new Epilogue(Optional.empty(), Activation.NONE, 1f, Optional.empty());

  public static Epilogue of(Activation activation) {
    return new Epilogue(Optional.empty(), activation, 1f, Optional.empty());
  }

  public Epilogue withChannelBias(Tensor bias) {
    return new Epilogue(Optional.of(bias), activation, scale, residual);
  }

  public Epilogue withResidual(Tensor tensor) {
    return new Epilogue(channelBias, activation, scale, Optional.of(tensor));
  }

  public Epilogue withScale(float factor) {
    return new Epilogue(channelBias, activation, factor, residual);
  }
}
