package dev.tintype.sampler.config;

import dev.tintype.sampler.SamplerException;

/**
 * A model folder that cannot be used: {@code model.not_found}, {@code model.config} (a file that is
 * not valid), {@code model.unsupported} (a valid file that asks for what the engine does not have).
 */
public final class ModelException extends SamplerException {
  private static final long serialVersionUID = 1L;

  public ModelException(String code, String message) {
    super(code, message);
  }

  public ModelException(String code, String message, Throwable cause) {
    super(code, message, cause);
  }
}
