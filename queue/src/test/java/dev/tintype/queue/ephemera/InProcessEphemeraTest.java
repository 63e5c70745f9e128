package dev.tintype.queue.ephemera;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.MovableClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class InProcessEphemeraTest extends EphemeraContract {
  private final MovableClock clock = new MovableClock();

  @Override
  Ephemera open() {
    return new InProcessEphemera(clock);
  }

  @Override
  void pass(Duration time) {
    clock.advance(time);
  }

  @Test
  void theLeastRecentlyUsedIsPushedOutByBytes() {
    byte[] half = new byte[Ephemera.VALUE_BYTES_MAX / 2];
    try (Ephemera small = new InProcessEphemera(1, clock)) {
      small.put("a", half, LONG);
      small.put("b", half, LONG);
      assertThat(small.get("a")).isPresent();
      small.put("c", half, LONG);
      assertThat(small.get("b")).isEmpty();
      assertThat(small.get("a")).isPresent();
      assertThat(small.get("c")).isPresent();
    }
  }

  @Test
  void whatRanOutIsClearedAway() {
    byte[] part = new byte[Ephemera.VALUE_BYTES_MAX / 1_000];
    try (Ephemera small = new InProcessEphemera(1, clock)) {
      small.put("kept", part, LONG);
      for (int i = 0; i < 900; i++) {
        small.put("brief/" + i, part, SHORT);
      }
      clock.advance(SHORT);
      for (int i = 0; i < 900; i++) {
        small.put("later/" + i, part, SHORT);
      }
      // 1,801 values would not fit; the dead ones went first, not the oldest living one.
      assertThat(small.get("kept")).isPresent();
      assertThat(small.list("later/")).hasSize(900);
    }
  }

  @Test
  void entriesAreBounded() {
    try (Ephemera many = new InProcessEphemera(clock)) {
      for (int i = 0; i <= InProcessEphemera.ENTRIES_MAX; i++) {
        many.put("k" + i, new byte[0], LONG);
      }
      assertThat(many.get("k0")).isEmpty();
      assertThat(many.get("k1")).isPresent();
    }
  }
}
