package dev.tintype.sampler.schedule;

import dev.tintype.sampler.SamplerException;

/**
 * A schedule that cannot be made: {@code schedule.unknown} (no such scheduler), {@code
 * schedule.unsupported} (an option the engine does not have), {@code schedule.steps} (a number of
 * steps that the scheduler cannot take).
 */
public final class ScheduleException extends SamplerException {
  private static final long serialVersionUID = 1L;

  public ScheduleException(String code, String message) {
    super(code, message);
  }
}
