package dev.tintype.worker;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** Where one job's time went. Filled by the loop and the scribe; thread-safe. */
final class StageTimes {
  /** The stages of a job's life in their order. */
  enum Stage {
    QUEUE,
    TEXT,
    STEPS,
    DECODE,
    STORE
  }

  private final long[] nanos = new long[Stage.values().length];

  /** Both by the database's clock. */
  StageTimes(Instant createdAt, Instant leasedAt) {
    add(Stage.QUEUE, Math.max(0, Duration.between(createdAt, leasedAt).toNanos()));
  }

  synchronized void add(Stage stage, long durationNanos) {
    nanos[stage.ordinal()] += durationNanos;
  }

  /** The last progress event of a job: {@code {"step":..,"steps":..,"timings_ms":{"queue":..}}}. */
  synchronized String toProgressJson(int steps) {
    StringBuilder json = new StringBuilder();
    json.append("{\"step\":").append(steps).append(",\"steps\":").append(steps);
    json.append(",\"timings_ms\":{");
    for (Stage stage : Stage.values()) {
      json.append(stage.ordinal() == 0 ? "\"" : ",\"");
      json.append(stage.name().toLowerCase(Locale.ROOT)).append("\":");
      json.append(Math.round(nanos[stage.ordinal()] / 1e6));
    }
    return json.append("}}").toString();
  }
}
