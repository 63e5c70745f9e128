package dev.tintype.perf.simulate;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** The time of a simulation, moved by its events alone. */
final class VirtualClock extends Clock {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private long nowMs;

  /** Milliseconds since the start. */
  long nowMs() {
    return nowMs;
  }

  void moveTo(long ms) {
    if (ms < nowMs) {
      throw new IllegalStateException("time goes back from " + nowMs + " to " + ms);
    }
    nowMs = ms;
  }

  static Instant at(long ms) {
    return START.plusMillis(ms);
  }

  /** The same time as a machine sees it whose clock is wrong by so much. */
  Clock skewed(long offsetMs) {
    VirtualClock truth = this;
    return new Clock() {
      @Override
      public ZoneId getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return at(truth.nowMs + offsetMs);
      }
    };
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }

  @Override
  public Instant instant() {
    return at(nowMs);
  }
}
