package dev.tintype.sampler.weights;

import dev.tintype.sampler.SamplerException;

/** A checkpoint that cannot be read or does not fit the model. The message names file and key. */
public final class WeightsException extends SamplerException {
  private static final long serialVersionUID = 1L;

  public WeightsException(String code, String message) {
    super(code, message);
  }

  public WeightsException(String code, String message, Throwable cause) {
    super(code, message, cause);
  }
}
