package dev.tintype.queue.store;

import dev.tintype.queue.job.UploadRecord;
import java.util.List;
import java.util.Optional;

/** Uploads on PostgreSQL. */
public final class PostgresUploadStore implements UploadStore {
  private static final String ROOM =
      "(SELECT count(*) FROM uploads WHERE user_id = ? AND sha256 <> ?) < ?";

  /** One statement: a row that is there renews its time, so that a sweep by age spares it. */
  private static final String ADD =
      "INSERT INTO uploads (user_id, sha256, media_type, width, height, bytes, uploaded_at)"
          + " SELECT ?, ?, ?, ?, ?, ?, tintype_now()"
          + " WHERE "
          + ROOM
          + " ON CONFLICT (user_id, sha256) DO UPDATE SET uploaded_at = tintype_now()";

  private static final String FIND =
      "SELECT sha256, media_type, width, height, bytes FROM uploads"
          + " WHERE user_id = ? AND sha256 = ?"
          + " UNION ALL"
          + " SELECT i.sha256, 'image/png', i.width, i.height, i.bytes FROM images i"
          + " JOIN jobs j ON j.id = i.job_id WHERE i.sha256 = ? AND j.user_id = ? LIMIT 1";

  private static final String OWNED_ALONE =
      "SELECT mine.sha256 FROM (SELECT sha256 FROM uploads WHERE user_id = ? AND sha256 > ?"
          + " UNION SELECT i.sha256 FROM images i JOIN jobs j ON j.id = i.job_id"
          + " WHERE j.user_id = ? AND i.sha256 > ?) mine"
          + " WHERE NOT EXISTS (SELECT 1 FROM uploads u"
          + " WHERE u.sha256 = mine.sha256 AND u.user_id <> ?)"
          + " AND NOT EXISTS (SELECT 1 FROM images i JOIN jobs j ON j.id = i.job_id"
          + " WHERE i.sha256 = mine.sha256 AND j.user_id <> ?)"
          + " ORDER BY mine.sha256 LIMIT ?";

  private final Database database;

  public PostgresUploadStore(Database database) {
    this.database = database;
  }

  @Override
  public boolean hasRoom(String userId, String sha256) {
    return database.call(
        connection ->
            Sql.first(
                    connection,
                    row -> row.getBoolean(1),
                    "SELECT " + ROOM,
                    userId,
                    sha256,
                    UPLOADS_PER_USER_MAX)
                .orElseThrow());
  }

  @Override
  public boolean add(String userId, UploadRecord upload) {
    return database.call(
        connection ->
            Sql.update(
                    connection,
                    ADD,
                    userId,
                    upload.sha256(),
                    upload.mediaType(),
                    upload.width(),
                    upload.height(),
                    upload.bytes(),
                    userId,
                    upload.sha256(),
                    UPLOADS_PER_USER_MAX)
                == 1);
  }

  @Override
  public Optional<UploadRecord> find(String userId, String sha256) {
    return database.call(
        connection ->
            Sql.first(
                connection,
                row ->
                    new UploadRecord(
                        row.getString("sha256"),
                        row.getString("media_type"),
                        row.getInt("width"),
                        row.getInt("height"),
                        row.getLong("bytes")),
                FIND,
                userId,
                sha256,
                sha256,
                userId));
  }

  @Override
  public List<String> ownedAlone(String userId, String after, int limit) {
    if (limit < 1 || limit > PAGE_MAX) {
      throw new IllegalArgumentException("limit is 1 to " + PAGE_MAX);
    }
    return database.call(
        connection ->
            Sql.query(
                connection,
                row -> row.getString("sha256"),
                OWNED_ALONE,
                userId,
                after,
                userId,
                after,
                userId,
                userId,
                limit));
  }

  @Override
  public void forget(String sha256) {
    database.call(
        connection -> Sql.update(connection, "DELETE FROM uploads WHERE sha256 = ?", sha256));
  }
}
