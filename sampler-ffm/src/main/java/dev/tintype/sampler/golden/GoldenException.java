package dev.tintype.sampler.golden;

import dev.tintype.sampler.SamplerException;

/** A golden case that cannot be run as it stands: {@code golden.case}. */
public final class GoldenException extends SamplerException {
  private static final long serialVersionUID = 1L;

  public GoldenException(String message) {
    super("golden.case", message);
  }
}
