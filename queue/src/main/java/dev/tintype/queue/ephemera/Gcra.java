package dev.tintype.queue.ephemera;

import java.time.Duration;

/**
 * The generic cell rate algorithm (ITU-T I.371): of a limit one number is kept, the time at which
 * nothing would be owed any more. All times are microseconds as {@code double}, exact to a quarter
 * of one until the year 2255. Redis does the same arithmetic in Lua.
 */
final class Gcra {
  private Gcra() {}

  /**
   * @param debtFree the kept number, or 0
   * @param nextDebtFree what to keep now; equal to {@code debtFree} where nothing was taken
   */
  record Step(RateDecision decision, double nextDebtFree) {}

  static Step take(double debtFree, double nowMicros, long cost, Rate rate) {
    double interval = rate.intervalMicros();
    double tolerance = rate.burst() * interval;
    double owed = Math.max(debtFree, nowMicros);
    double wait = owed + Math.min(cost, rate.burst()) * interval - tolerance - nowMicros;
    boolean allowed = wait <= 0;
    double next = allowed ? owed + cost * interval : debtFree;
    return new Step(
        decision(allowed, Math.max(next, nowMicros) - nowMicros, wait, interval, tolerance), next);
  }

  /** From the debt and the wait in microseconds; shared with Redis, which returns those two. */
  static RateDecision decision(
      boolean allowed, double debtMicros, double waitMicros, double interval, double tolerance) {
    // A millionth of a permit forgives the rounding of the division.
    long remaining = (long) Math.max(0, Math.floor((tolerance - debtMicros) / interval + 1e-6));
    return new RateDecision(
        allowed, remaining, allowed ? Duration.ZERO : duration(waitMicros), duration(debtMicros));
  }

  private static Duration duration(double micros) {
    return Duration.ofNanos((long) Math.ceil(micros) * 1_000);
  }
}
