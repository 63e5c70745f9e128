package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;

/**
 * Deletes what need not be kept. Every call is one short transaction of a bounded number of rows,
 * and passes over rows that another process has locked, so that sweeps of several processes do not
 * meet. The pictures of deleted jobs are noted as released in the same transaction: the sweep of
 * blobs looks at them next.
 */
final class Retention {
  static final String ENDED =
      JobMoves.in(Arrays.stream(JobState.values()).filter(JobState::terminal).toList());

  private final Database database;

  Retention(Database database) {
    this.database = database;
  }

  boolean purge(JobId id) {
    return database.inTransaction(
        connection ->
            delete(
                    connection,
                    "SELECT id FROM jobs WHERE id = ? AND "
                        + JobMoves.in(List.of(JobState.DEAD))
                        + " FOR UPDATE",
                    id)
                > 0);
  }

  int sweep(String tier, int limit) {
    return database.inTransaction(
        connection ->
            delete(
                connection,
                "SELECT id FROM jobs WHERE tier = ? AND "
                    + ENDED
                    + " AND finished_at < tintype_now() - (SELECT retention_s FROM tiers WHERE name"
                    + " = ?) * interval '1 second' ORDER BY finished_at LIMIT ? FOR UPDATE SKIP"
                    + " LOCKED",
                tier,
                tier,
                limit));
  }

  /** Ended jobs and uploads of one user. */
  int forget(String userId, int limit) {
    return database.inTransaction(
        connection ->
            delete(
                    connection,
                    "SELECT id FROM jobs WHERE user_id = ? AND "
                        + ENDED
                        + " ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED",
                    userId,
                    limit)
                + Sql.first(
                        connection,
                        row -> row.getInt(1),
                        PostgresBlobLedger.forgetUploads(
                            "SELECT user_id, sha256 FROM uploads WHERE user_id = ? ORDER BY sha256"
                                + " LIMIT ? FOR UPDATE SKIP LOCKED"),
                        userId,
                        limit)
                    .orElseThrow());
  }

  private static int delete(Connection connection, String which, Object... arguments)
      throws SQLException {
    List<JobId> ids = Sql.query(connection, row -> Sql.id(row, "id"), which, arguments);
    if (!ids.isEmpty()) {
      Sql.update(
          connection,
          PostgresBlobLedger.RELEASE_OF_JOBS,
          Sql.uuids(connection, ids),
          Sql.uuids(connection, ids));
      for (String table : List.of("job_events", "idempotency", "webhooks")) {
        Sql.update(
            connection,
            "DELETE FROM " + table + " WHERE job_id = ANY(?)",
            Sql.uuids(connection, ids));
      }
      Sql.update(connection, "DELETE FROM jobs WHERE id = ANY(?)", Sql.uuids(connection, ids));
    }
    return ids.size();
  }

  int forgetKeys(int limit) {
    return database.call(
        connection ->
            Math.max(
                Sql.update(
                    connection,
                    "DELETE FROM idempotency WHERE (user_id, key) IN (SELECT user_id, key FROM"
                        + " idempotency WHERE expires_at < tintype_now() LIMIT ? FOR UPDATE SKIP"
                        + " LOCKED)",
                    limit),
                FastUse.forget(connection, limit)));
  }
}
