package dev.tintype.queue.store;

/**
 * How many jobs a user has that have not ended. Whoever adds one holds the user's lock until its
 * commit, so that the limit holds however many submit at once, in whatever process. Lock, work and
 * commit travel together, so a process that stops in between holds nobody up. Ends take no lock:
 * the number is one that the jobs do not exceed, and is counted anew where it leaves no room.
 */
final class OpenJobs {
  private OpenJobs() {}

  /**
   * Locks users until the end of the transaction, in the order of the hashes, so that two batches
   * with the same users do not deadlock. A statement of its own: the next one sees what others
   * committed until then. Parameter: users.
   */
  static final String LOCK =
      """
      SELECT pg_advisory_xact_lock(hash) FROM (
        SELECT DISTINCT hashtextextended(user_id, 7) AS hash FROM unnest(?::text[]) AS user_id ORDER BY hash
      ) AS users
      """;

  /**
   * The same for the user of a job that may begin again; adds it. To be followed by the statement
   * that does it. Parameters: the job, twice.
   */
  static final String ADD_AGAIN =
      """
      SELECT pg_advisory_xact_lock(hashtextextended(user_id, 7)) FROM jobs WHERE id = ?;
      UPDATE open_jobs SET at_most = at_most + 1 WHERE user_id = (SELECT user_id FROM jobs WHERE id = ?);
      """;
}
