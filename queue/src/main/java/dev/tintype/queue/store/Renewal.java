package dev.tintype.queue.store;

import java.time.Instant;

/** The answer to a heartbeat. */
public sealed interface Renewal {
  /**
   * The job is still yours.
   *
   * @param cancelRequested end it with {@link JobStore#finishCanceled} within one step
   */
  record Held(Instant until, boolean cancelRequested) implements Renewal {}

  /** The job is somebody else's, or at its end: stop, and write nothing more. */
  record Lost() implements Renewal {}
}
