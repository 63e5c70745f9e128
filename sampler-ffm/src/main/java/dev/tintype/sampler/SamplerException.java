package dev.tintype.sampler;

import java.util.Objects;

/**
 * What can go wrong in the engine. The code is stable and listed in docs/errors.md; the message
 * says what was found, what was expected and what to do.
 */
public abstract class SamplerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String code;

  protected SamplerException(String code, String message) {
    this(code, message, null);
  }

  protected SamplerException(String code, String message, Throwable cause) {
    super(message, cause);
    this.code = Objects.requireNonNull(code);
  }

  /** Stable, dotted, lower case: {@code weights.shape}. */
  public final String code() {
    return code;
  }
}
