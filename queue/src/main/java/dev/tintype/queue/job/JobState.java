package dev.tintype.queue.job;

import java.util.Locale;

/** Where a job is in its life. See {@link JobStateMachine} for the moves between them. */
public enum JobState {
  /** Accepted and durable; waits for its turn, or for its backoff to end. */
  QUEUED,
  /** A worker owns it by a lease and has not begun. */
  LEASED,
  /** A worker owns it by a lease and works on it. */
  RUNNING,
  /** Its pictures are stored and visible. */
  SUCCEEDED,
  /** It can never succeed (for example, its model does not exist). */
  FAILED,
  /** Its user withdrew it. */
  CANCELED,
  /** Its deadline passed before it was done. */
  EXPIRED,
  /** It crashed or failed too often; an admin may re-drive it. */
  DEAD;

  private final String wire = name().toLowerCase(Locale.ROOT);

  /** The lower-case name used in JSON, SQL and URLs. */
  public String wire() {
    return wire;
  }

  /**
   * True where no worker and no relay will touch the job again (an admin's re-drive of a dead job
   * aside).
   */
  public boolean terminal() {
    return switch (this) {
      case QUEUED, LEASED, RUNNING -> false;
      case SUCCEEDED, FAILED, CANCELED, EXPIRED, DEAD -> true;
    };
  }

  /** True where a worker's lease owns the job. */
  public boolean leased() {
    return this == LEASED || this == RUNNING;
  }

  /** The state of that wire name; throws IllegalArgumentException for any other text. */
  public static JobState ofWire(String wire) {
    return valueOf(wire.toUpperCase(Locale.ROOT));
  }
}
