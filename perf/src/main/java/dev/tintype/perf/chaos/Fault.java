package dev.tintype.perf.chaos;

import java.time.Duration;
import java.util.Locale;

/** One bad thing that happens, with how long it lasts. */
sealed interface Fault {
  /** How long until the damage is undone; nothing for a kill, which is followed by a start. */
  Duration lasting();

  /** What the report counts it as: the kind of process that is killed, or what a line does. */
  String kind();

  /** kill -9 of a member and a new start. */
  record Kill(String target) implements Fault {
    @Override
    public Duration lasting() {
      return Duration.ZERO;
    }

    /** {@code worker} for {@code worker-2}. */
    @Override
    public String kind() {
      return target.replaceAll("-\\d+$", "");
    }
  }

  /** SIGSTOP, later SIGCONT. */
  record Pause(String target, Duration lasting) implements Fault {
    @Override
    public String kind() {
      return "pause_" + lasting.toSeconds() + "_s";
    }
  }

  /** A line that misbehaves. */
  record Network(String target, FaultyProxy.Line line, Duration lasting) implements Fault {
    @Override
    public String kind() {
      return line.name().toLowerCase(Locale.ROOT);
    }
  }
}
