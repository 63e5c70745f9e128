package dev.tintype.queue.store;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/** The outbox in the table that the moves of jobs write to. */
public final class PostgresWebhookOutbox implements WebhookOutbox {
  /** Rows looked at for a claim: enough that one user's hardly fill them. */
  private static final int LOOK_MAX = 1_000;

  private static final String CLAIM =
      """
      WITH due AS (
        SELECT job_id, seq, user_id, due_at FROM webhooks WHERE due_at <= tintype_now() ORDER BY due_at LIMIT %d
      ), ranked AS (
        SELECT job_id, seq, due_at, row_number() OVER (PARTITION BY user_id ORDER BY due_at) AS place FROM due
      ), chosen AS (
        SELECT w.job_id, w.seq FROM webhooks w JOIN ranked r ON r.job_id = w.job_id AND r.seq = w.seq
        WHERE r.place <= %d AND w.due_at <= tintype_now() ORDER BY r.due_at LIMIT ? FOR UPDATE OF w SKIP LOCKED
      )
      UPDATE webhooks SET tries = tries + 1, due_at = tintype_now() + ? * interval '1 ms'
      FROM chosen WHERE webhooks.job_id = chosen.job_id AND webhooks.seq = chosen.seq RETURNING webhooks.*
      """
          .formatted(LOOK_MAX, PER_USER_MAX);

  private final Database database;

  public PostgresWebhookOutbox(Database database) {
    this.database = database;
  }

  @Override
  public List<Owed> claim(int limit, Duration claimTime) {
    return database.call(
        connection -> Sql.query(connection, PostgresWebhookOutbox::owed, CLAIM, limit, claimTime));
  }

  private static Owed owed(ResultSet row) throws SQLException {
    return new Owed(
        Sql.id(row, "job_id"),
        row.getLong("seq"),
        row.getString("url"),
        row.getString("event"),
        Sql.instant(row, "ended_at"),
        row.getInt("tries"));
  }

  @Override
  public void done(Owed owed) {
    database.call(
        connection ->
            Sql.update(
                connection,
                "DELETE FROM webhooks WHERE job_id = ? AND seq = ?",
                owed.jobId(),
                owed.seq()));
  }

  /** Only if nobody else has tried meanwhile. */
  @Override
  public void again(Owed owed, Duration wait) {
    database.call(
        connection ->
            Sql.update(
                connection,
                "UPDATE webhooks SET due_at = tintype_now() + ? * interval '1 ms' WHERE job_id = ?"
                    + " AND seq = ? AND tries = ?",
                wait,
                owed.jobId(),
                owed.seq(),
                owed.tries()));
  }
}
