package dev.tintype.perf.chaos;

import java.time.Duration;

/** One bad thing that happens, with how long it lasts. */
sealed interface Fault {
  /** How long until the damage is undone; nothing for a kill, which is followed by a start. */
  Duration lasting();

  /** kill -9 of a member and a new start. */
  record Kill(String target) implements Fault {
    @Override
    public Duration lasting() {
      return Duration.ZERO;
    }
  }

  /** SIGSTOP, later SIGCONT. */
  record Pause(String target, Duration lasting) implements Fault {}

  /** A line that misbehaves. */
  record Network(String target, FaultyProxy.Line line, Duration lasting) implements Fault {}
}
