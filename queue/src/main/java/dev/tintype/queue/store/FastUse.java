package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * What users' jobs in mode fast took of the GPUs, by day, for as long as an allowance looks back.
 */
final class FastUse {
  static final int DAYS = 30;

  private static final String TODAY = "(tintype_now() AT TIME ZONE 'UTC')::date";

  /** Adds to the user's row of today. */
  private static final String ADD =
      " ON CONFLICT (user_id, day) DO UPDATE SET gpu_ms = u.gpu_ms + excluded.gpu_ms";

  private FastUse() {}

  /** Charges a job that has just succeeded: what its worker measured, else what was estimated. */
  static void charge(Connection connection, JobId id) throws SQLException {
    Sql.update(
        connection,
        "INSERT INTO fast_use AS u (user_id, day, gpu_ms) SELECT user_id, "
            + TODAY
            + ", coalesce(gpu_ms, cost_ms) FROM jobs WHERE id = ?"
            + ADD,
        id);
  }

  /**
   * Charges a job that its user has ended while it ran: the share of the estimate that the last
   * progress told of, nothing where none was told.
   */
  static void chargeCanceled(Connection connection, JobId id) throws SQLException {
    Sql.update(
        connection,
        "INSERT INTO fast_use AS u (user_id, day, gpu_ms) SELECT user_id, "
            + TODAY
            + ", (cost_ms * least((told->>'step')::float8 / (told->>'steps')::float8, 1))::bigint"
            + " FROM jobs, LATERAL (SELECT json::jsonb AS told FROM job_events WHERE job_id ="
            + " jobs.id AND type = 'progress' ORDER BY seq DESC LIMIT 1) WHERE id = ? AND"
            + " (told->>'step')::float8 > 0 AND (told->>'steps')::float8 > 0"
            + ADD,
        id);
  }

  /** Of the last {@link #DAYS} days, with the estimates of those that are under way. */
  static long usedMs(Connection connection, String userId) throws SQLException {
    return Sql.query(
            connection,
            row -> row.getLong(1),
            "SELECT (coalesce((SELECT sum(gpu_ms) FROM fast_use WHERE user_id = ? AND day > "
                + TODAY
                + " - ?), 0) + coalesce((SELECT sum(cost_ms) FROM jobs WHERE user_id = ? AND mode ="
                + " 'fast' AND "
                + JobMoves.open()
                + "), 0))::bigint",
            userId,
            DAYS,
            userId)
        .getFirst();
  }

  /** Deletes what no allowance looks back at; returns how many rows. */
  static int forget(Connection connection, int limit) throws SQLException {
    return Sql.update(
        connection,
        "DELETE FROM fast_use WHERE (user_id, day) IN (SELECT user_id, day FROM fast_use WHERE day"
            + " <= "
            + TODAY
            + " - ? LIMIT ? FOR UPDATE SKIP LOCKED)",
        DAYS,
        limit);
  }
}
