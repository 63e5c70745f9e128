package dev.tintype.queue;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.function.LongSupplier;

/**
 * The wall clock as it was when this was made, and from then on the monotonic one: nobody who sets
 * the machine's clock makes a time to live or a pause longer or shorter. For how long something
 * takes, not for what date it is.
 */
public final class SteadyClock extends Clock {
  private final Instant began;
  private final LongSupplier nanos;
  private final long beganNanos;

  public SteadyClock() {
    this(Clock.systemUTC(), System::nanoTime);
  }

  SteadyClock(Clock wall, LongSupplier nanos) {
    this.began = wall.instant();
    this.nanos = nanos;
    this.beganNanos = nanos.getAsLong();
  }

  @Override
  public Instant instant() {
    return began.plus(Duration.ofNanos(nanos.getAsLong() - beganNanos));
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }
}
