package dev.tintype.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SteadyClockTest {
  @Test
  void whoSetsTheWallClockDoesNotMoveIt() {
    MovableClock wall = new MovableClock();
    AtomicLong nanos = new AtomicLong(-5);
    SteadyClock steady = new SteadyClock(wall, nanos::get);
    Instant began = wall.instant();
    assertThat(steady.instant()).isEqualTo(began);
    wall.advance(Duration.ofHours(-3));
    nanos.addAndGet(1_500_000_000);
    assertThat(steady.instant()).isEqualTo(began.plusMillis(1_500));
    wall.advance(Duration.ofDays(400));
    assertThat(steady.instant()).isEqualTo(began.plusMillis(1_500));
  }
}
