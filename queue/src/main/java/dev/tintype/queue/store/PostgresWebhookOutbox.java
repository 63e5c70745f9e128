package dev.tintype.queue.store;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/** The outbox in the table that the moves of jobs write to. */
public final class PostgresWebhookOutbox implements WebhookOutbox {
  /** The oldest of each user who is owed any, by a walk over the index from user to user. */
  private static final String CLAIM =
      """
      WITH RECURSIVE users AS (
        (SELECT min(user_id) AS user_id FROM webhooks)
        UNION ALL
        SELECT (SELECT min(w.user_id) FROM webhooks w WHERE w.user_id > users.user_id) FROM users WHERE users.user_id IS NOT NULL
      ), heads AS (
        SELECT head.* FROM users CROSS JOIN LATERAL (
          SELECT job_id, seq, due_at FROM webhooks w WHERE w.user_id = users.user_id AND w.due_at <= tintype_now()
          ORDER BY w.due_at LIMIT %d
        ) head
      ), chosen AS (
        SELECT w.job_id, w.seq FROM webhooks w JOIN heads h ON h.job_id = w.job_id AND h.seq = w.seq
        WHERE w.due_at <= tintype_now() ORDER BY h.due_at LIMIT ? FOR UPDATE OF w SKIP LOCKED
      )
      UPDATE webhooks SET tries = tries + 1, due_at = tintype_now() + ? * interval '1 ms'
      FROM chosen WHERE webhooks.job_id = chosen.job_id AND webhooks.seq = chosen.seq RETURNING webhooks.*
      """
          .formatted(PER_USER_MAX);

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
  public Waiting waiting() {
    return database.call(
        connection ->
            Sql.query(
                    connection,
                    row ->
                        new Waiting(
                            row.getLong("owed"),
                            Duration.ofMillis(Math.max(0, row.getLong("oldest_ms")))),
                    "SELECT count(*) AS owed, coalesce(extract(epoch FROM tintype_now() -"
                        + " min(ended_at)) * 1000, 0)::bigint AS oldest_ms FROM (SELECT ended_at"
                        + " FROM webhooks LIMIT ?) w",
                    COUNT_MAX)
                .getFirst());
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
