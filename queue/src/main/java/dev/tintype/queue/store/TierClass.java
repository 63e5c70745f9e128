package dev.tintype.queue.store;

import java.util.Locale;

/**
 * Lanes of the transport: fewer than tiers, because a topic per model and tier would be too many.
 */
public enum TierClass {
  RELAXED,
  NORMAL,
  PRIORITY;

  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static TierClass ofWire(String wire) {
    return valueOf(wire.toUpperCase(Locale.ROOT));
  }
}
