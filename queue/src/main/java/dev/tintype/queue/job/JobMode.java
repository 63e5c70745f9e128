package dev.tintype.queue.job;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a user wants a job scheduled within the tier; other tiers are not touched by it. */
public enum JobMode {
  /** Ahead of its user's own other jobs, not of anybody else's. */
  FAST,
  NORMAL,
  /** In what the tier's other jobs leave, and a small share of its own, with a longer bound. */
  RELAX;

  /** As stored and sent. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Empty for a text that is no mode. */
  public static Optional<JobMode> of(String wire) {
    return Arrays.stream(values()).filter(mode -> mode.wire().equals(wire)).findFirst();
  }

  /** Of a stored job. */
  public static JobMode ofWire(String wire) {
    return valueOf(wire.toUpperCase(Locale.ROOT));
  }
}
