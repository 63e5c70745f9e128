package dev.tintype.queue.relay;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The store's time between two looks at its clock, and whether somebody has set that clock. Waits
 * and ages of jobs are in the store's time, so a relay whose own clock is wrong orders them as all
 * others do. For one thread.
 */
final class StoreTime {
  /** Less is the way of an answer, or a clock that is being slewed. */
  static final Duration JUMP_MIN = Duration.ofSeconds(3);

  private final Clock clock;
  private Optional<Duration> ahead = Optional.empty();

  /**
   * @param clock of this process, that nobody sets
   */
  StoreTime(Clock clock) {
    this.clock = clock;
  }

  /**
   * A look at the store's clock: by how much it was set since the last one, negative for back; zero
   * for less than {@link #JUMP_MIN}.
   */
  Duration jump(Instant storeNow) {
    Duration now = Duration.between(clock.instant(), storeNow);
    Duration jump = now.minus(ahead.orElse(now));
    ahead = Optional.of(now);
    return jump.abs().compareTo(JUMP_MIN) < 0 ? Duration.ZERO : jump;
  }

  Instant now() {
    return clock.instant().plus(ahead.orElse(Duration.ZERO));
  }
}
