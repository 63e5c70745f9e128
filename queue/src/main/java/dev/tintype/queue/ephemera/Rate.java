package dev.tintype.queue.ephemera;

import dev.tintype.queue.QueueException;
import java.time.Duration;

/**
 * A steady rate with a burst above it.
 *
 * @param permits per {@code period}, at least 1; at most one per microsecond
 * @param period positive, at most {@link Ephemera#TTL_MAX}
 * @param burst what may be taken at once after a pause, at least 1; the time to earn it back is at
 *     most {@link Ephemera#TTL_MAX}
 */
public record Rate(long permits, Duration period, long burst) {
  public Rate {
    boolean sound =
        permits >= 1
            && burst >= 1
            && period.isPositive()
            && period.compareTo(Ephemera.TTL_MAX) <= 0
            && micros(period) / permits >= 1.0
            && burst * (micros(period) / permits) <= micros(Ephemera.TTL_MAX);
    if (!sound) {
      throw new QueueException.Invalid(
          "ephemera.rate",
          "A rate has at least one permit and one of burst, at most a permit per microsecond, and"
              + " earns its burst back within 7 days.");
    }
  }

  /** Rate per second; the burst is what one second earns. */
  public static Rate perSecond(long permits) {
    return new Rate(permits, Duration.ofSeconds(1), permits);
  }

  /** Time that one permit costs, in microseconds. */
  double intervalMicros() {
    return micros(period) / permits;
  }

  private static double micros(Duration time) {
    return time.toSeconds() * 1e6 + time.toNanosPart() / 1e3;
  }
}
