package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import java.time.Instant;
import java.util.Optional;

/** The answer to a heartbeat. */
public sealed interface Renewal {
  /**
   * The job is still yours.
   *
   * @param cancelRequested end it with {@link JobStore#finishCanceled} within one step
   * @param roomFor an urgent job of the same model that still waits, since no worker has room: this
   *     one may take it at once and let this job make room ({@link DispatchStore#askForRoom})
   */
  record Held(Instant until, boolean cancelRequested, Optional<JobId> roomFor) implements Renewal {
    /** Nobody asks for room. */
    public Held(Instant until, boolean cancelRequested) {
      this(until, cancelRequested, Optional.empty());
    }
  }

  /** The job is somebody else's, or at its end: stop, and write nothing more. */
  record Lost() implements Renewal {}
}
