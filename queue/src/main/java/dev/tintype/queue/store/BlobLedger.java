package dev.tintype.queue.store;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the database knows of blobs: which of them some row names, and which were named once. Rows
 * are the only references, so that no count can drift from the truth: a picture that five jobs
 * painted has five rows, and goes with the last of them.
 */
public interface BlobLedger {
  /** Most names that one call takes or returns. */
  int NAMES_MAX = 1000;

  /** Drawn when the database was made: marks a blob store as this database's own. */
  String installation();

  /**
   * Those of the names that a row names: a finished picture, an upload, or the picture or mask that
   * a job starts from which waits, runs, or is dead and may be re-driven.
   */
  Set<String> named(Collection<String> sha256s);

  /**
   * A blob that lost a row.
   *
   * @param lookAt identifies this release; another one of the same blob has another
   */
  record Released(String sha256, Instant lookAt) {}

  /**
   * Takes released blobs, the oldest first. Nobody else gets them for an hour; then they come
   * again, unless {@link #settle} was called for them.
   */
  List<Released> takeReleased(int limit);

  /** Forgets releases that were dealt with, unless the blob was released once more since. */
  void settle(Collection<Released> released);

  /**
   * Deletes uploads older than what their user's tier keeps, counted from when they were last sent;
   * those that a job still starts from stay.
   *
   * @return how many
   */
  int expireUploads(int limit);

  /**
   * Somebody's turn to walk.
   *
   * @param position last name that was looked at; empty at the start
   * @param number the fence of {@link #endTurn}
   */
  record Turn(String position, long number) {}

  /**
   * The next turn, where it is due and nobody has it.
   *
   * @param hold after so long without {@link #endTurn} another may take the turn
   */
  Optional<Turn> takeTurn(Duration hold);

  /**
   * Ends a turn; without effect where it was taken over meanwhile.
   *
   * @param position where the next one goes on
   * @param pause until the next one
   */
  void endTurn(Turn turn, String position, Duration pause);
}
