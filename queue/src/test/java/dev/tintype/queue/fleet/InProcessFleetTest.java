package dev.tintype.queue.fleet;

import dev.tintype.queue.MovableClock;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.ephemera.InProcessEphemera;
import java.time.Duration;

class InProcessFleetTest extends FleetContract {
  private final MovableClock clock = new MovableClock();

  @Override
  Ephemera open() {
    return new InProcessEphemera(clock);
  }

  @Override
  void pass(Duration time) {
    clock.advance(time);
  }
}
