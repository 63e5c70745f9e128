package dev.tintype.queue.store;

import dev.tintype.queue.job.JobState;
import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The ledger of blobs on PostgreSQL. */
public final class PostgresBlobLedger implements BlobLedger {
  private static final Duration LOOK_AGAIN = Duration.ofHours(1);

  /** Written as the indexes jobs_init_image and jobs_mask_image are. */
  private static final String MAY_RUN =
      JobMoves.in(
          Stream.concat(
                  Arrays.stream(JobState.values()).filter(state -> !state.terminal()),
                  Stream.of(JobState.DEAD))
              .toList());

  private static final String NAMED =
      "SELECT sha256 FROM images WHERE sha256 = ANY(?)"
          + " UNION SELECT sha256 FROM uploads WHERE sha256 = ANY(?)"
          + " UNION SELECT "
          + input("init_image")
          + " FROM jobs WHERE "
          + startsFrom("init_image", "= ANY(?)")
          + " UNION SELECT "
          + input("mask_image")
          + " FROM jobs WHERE "
          + startsFrom("mask_image", "= ANY(?)");

  /** Parameters: two arrays of job ids. Sorted, so that two of these cannot block one another. */
  static final String RELEASE_OF_JOBS =
      "WITH gone AS (DELETE FROM images WHERE job_id = ANY(?) RETURNING sha256), lost AS (SELECT"
          + " sha256 FROM gone UNION SELECT unnest(ARRAY["
          + input("init_image")
          + ", "
          + input("mask_image")
          + "]) FROM jobs WHERE id = ANY(?)) "
          + release("SELECT DISTINCT sha256 FROM lost WHERE sha256 IS NOT NULL");

  private static final String EXPIRE_UPLOADS =
      forgetUploads(
          "SELECT u.user_id, u.sha256 FROM uploads u JOIN users a ON a.id = u.user_id JOIN tiers t"
              + " ON t.name = a.tier WHERE u.uploaded_at < tintype_now() - t.retention_s * interval"
              + " '1 second' AND NOT EXISTS (SELECT FROM jobs WHERE "
              + startsFrom("init_image", "= u.sha256")
              + ") AND NOT EXISTS (SELECT FROM jobs WHERE "
              + startsFrom("mask_image", "= u.sha256")
              + ") ORDER BY u.uploaded_at LIMIT ? FOR UPDATE OF u SKIP LOCKED");

  private final Database database;

  public PostgresBlobLedger(Database database) {
    this.database = database;
  }

  private static String input(String field) {
    return "substring(spec from '\"" + field + "\":\"([0-9a-f]{64})\"')";
  }

  private static String startsFrom(String field, String which) {
    return MAY_RUN + " AND spec LIKE '%\"" + field + "\":\"%' AND " + input(field) + " " + which;
  }

  /**
   * Notes blobs to be looked at in five minutes: a job that starts from one of them and is being
   * submitted at this moment is in its table by then. A release that was known is renewed.
   *
   * @param names a query with one column, sha256
   */
  static String release(String names) {
    return "INSERT INTO released_blobs (sha256, look_at) SELECT sha256, tintype_now() + interval '5"
        + " minutes' FROM ("
        + names
        + ") n ORDER BY sha256 ON CONFLICT (sha256) DO UPDATE SET look_at = excluded.look_at";
  }

  /**
   * Counts the deleted rows.
   *
   * @param which a query with the columns user_id and sha256
   */
  static String forgetUploads(String which) {
    return "WITH old AS ("
        + which
        + "), gone AS (DELETE FROM uploads u USING old WHERE u.user_id = old.user_id AND u.sha256 ="
        + " old.sha256 RETURNING u.sha256), noted AS ("
        + release("SELECT DISTINCT sha256 FROM gone")
        + ") SELECT count(*) FROM gone";
  }

  @Override
  public String installation() {
    return database.call(
        connection ->
            Sql.first(connection, row -> row.getString(1), "SELECT installation FROM blob_walk")
                .orElseThrow());
  }

  @Override
  public Set<String> named(Collection<String> sha256s) {
    return database.call(
        connection -> {
          Array names = Sql.texts(connection, sha256s);
          return Set.copyOf(
              Sql.query(connection, row -> row.getString(1), NAMED, names, names, names, names));
        });
  }

  @Override
  public List<Released> takeReleased(int limit) {
    return database.call(
        connection ->
            Sql.query(
                connection,
                row -> new Released(row.getString("sha256"), Sql.instant(row, "look_at")),
                "UPDATE released_blobs SET look_at = tintype_now() + ? * interval '1 ms' WHERE"
                    + " sha256 IN (SELECT sha256 FROM released_blobs WHERE look_at <="
                    + " tintype_now() ORDER BY look_at LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING"
                    + " sha256, look_at",
                LOOK_AGAIN,
                limit));
  }

  @Override
  public void settle(Collection<Released> released) {
    database.inTransaction(connection -> settle(connection, released));
  }

  private static boolean settle(Connection connection, Collection<Released> released)
      throws SQLException {
    for (Released one : released) {
      Sql.update(
          connection,
          "DELETE FROM released_blobs WHERE sha256 = ? AND look_at = ?::timestamptz",
          one.sha256(),
          one.lookAt().toString());
    }
    return true;
  }

  @Override
  public int expireUploads(int limit) {
    return database.call(
        connection ->
            Sql.first(connection, row -> row.getInt(1), EXPIRE_UPLOADS, limit).orElseThrow());
  }

  @Override
  public Optional<Turn> takeTurn(Duration hold) {
    return database.call(
        connection ->
            Sql.first(
                connection,
                row -> new Turn(row.getString("position"), row.getLong("turn")),
                "UPDATE blob_walk SET turn = turn + 1, next_at = tintype_now() + ? * interval '1"
                    + " ms' WHERE next_at <= tintype_now() RETURNING position, turn",
                hold));
  }

  @Override
  public void endTurn(Turn turn, String position, Duration pause) {
    database.call(
        connection ->
            Sql.update(
                connection,
                "UPDATE blob_walk SET position = ?, next_at = tintype_now() + ? * interval '1 ms'"
                    + " WHERE turn = ?",
                position,
                pause,
                turn.number()));
  }
}
