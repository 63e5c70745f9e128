package dev.tintype.sampler.ops;

import dev.tintype.sampler.device.Tensor;
import java.util.Optional;

/**
 * What is done to the result of a convolution or linear layer before it is written, in this order:
 * add the bias of the weights, apply {@code activation}, multiply by {@code scale}, add {@code
 * residual} (shape of the result). Fusing these saves a pass over memory each.
 */
public record Epilogue(Activation activation, float scale, Optional<Tensor> residual) {
  public static final Epilogue NONE = new Epilogue(Activation.NONE, 1f, Optional.empty());

  public static Epilogue of(Activation activation) {
    return new Epilogue(activation, 1f, Optional.empty());
  }

  public Epilogue withResidual(Tensor tensor) {
    return new Epilogue(activation, scale, Optional.of(tensor));
  }

  public Epilogue withScale(float factor) {
    return new Epilogue(activation, factor, residual);
  }
}
