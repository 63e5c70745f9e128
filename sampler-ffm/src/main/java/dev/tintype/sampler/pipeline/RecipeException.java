package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.SamplerException;

/** A recipe that cannot be made, with a code {@code recipe.*} that names the field. */
public final class RecipeException extends SamplerException {
  private static final long serialVersionUID = 1L;

  public RecipeException(String code, String message) {
    super(code, message);
  }
}
