package dev.tintype.queue.job;

import java.util.Locale;

/** The kinds of entries in a job's event log. */
public enum EventType {
  /**
   * Accepted, or back in the queue after a retry, a lapse or a release: {@code
   * {"reason":"submit|retry|lapse|release|redrive"}}.
   */
  QUEUED,
  /** A worker has it: {@code {}}. */
  LEASED,
  /** {@code {}}. */
  STARTED,
  /** {@code {"step":3,"steps":20}}. */
  PROGRESS,
  /** A small picture of the present state: {@code {"step":3,"type":"image/jpeg","base64":".."}}. */
  PREVIEW,
  /**
   * One picture is stored: {@link ImageRecord#toJson()}. It counts only once the job has succeeded.
   */
  IMAGE,
  /** {@code {"images":[..]}}. */
  SUCCEEDED,
  /** {@link JobFailure#toJson()}. */
  FAILED,
  /** The user asked for an end; the worker ends within one step: {@code {}}. */
  CANCEL_REQUESTED,
  /** {@code {}}. */
  CANCELED,
  /** {@code {}}. */
  EXPIRED,
  /** {@link JobFailure#toJson()}. */
  DEAD;

  private final String wire = name().toLowerCase(Locale.ROOT);

  /** The name in JSON, SQL and the {@code event:} lines of SSE. */
  public String wire() {
    return wire;
  }

  /** True for the entry after which a follower of the job may hang up. */
  public boolean terminal() {
    return switch (this) {
      case SUCCEEDED, FAILED, CANCELED, EXPIRED, DEAD -> true;
      case QUEUED, LEASED, STARTED, PROGRESS, PREVIEW, IMAGE, CANCEL_REQUESTED -> false;
    };
  }

  public static EventType ofWire(String wire) {
    return valueOf(wire.toUpperCase(Locale.ROOT));
  }
}
