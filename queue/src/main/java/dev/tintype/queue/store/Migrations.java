package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Numbered SQL files, each applied once, all in one transaction under an advisory lock, so that
 * many processes may start at once and a failure leaves the schema as it was. A file that was
 * applied never changes: its checksum is kept beside its number.
 */
final class Migrations {
  private static final Logger LOG = LoggerFactory.getLogger(Migrations.class);

  /** In order; the number of a file is its place in this list, from 1. */
  static final List<String> FILES =
      List.of(
          "001-jobs.sql",
          "002-costs.sql",
          "003-uploads.sql",
          "004-tiers.sql",
          "005-sweep.sql",
          "006-queued.sql",
          "007-modes.sql",
          "008-webhooks.sql",
          "009-preemptions.sql",
          "010-webhooks-by-user.sql",
          "011-room-wishes.sql",
          "012-picture-costs.sql",
          "013-pools.sql",
          "014-open-jobs.sql");

  /** "tintype" in ASCII: the same lock in every version of this program. */
  private static final long LOCK = 0x74696e74797065L;

  private final Database database;

  Migrations(Database database) {
    this.database = database;
  }

  void apply() {
    database.inTransaction(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            statement.execute(
                "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '120s'");
            statement.execute("SELECT pg_advisory_xact_lock(" + LOCK + ")");
            statement.execute(
                "CREATE TABLE IF NOT EXISTS schema_versions (version int PRIMARY KEY, name text NOT"
                    + " NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT"
                    + " now())");
          }
          Map<Integer, String> applied = applied(connection);
          if (!applied.isEmpty() && new TreeMap<>(applied).lastKey() > FILES.size()) {
            throw new QueueException.Broken(
                "store.schema",
                "This database was made by a newer Tintype; start that version or a newer one.",
                null);
          }
          for (int version = 1; version <= FILES.size(); version++) {
            applyOne(connection, version, applied.get(version));
          }
          return null;
        });
  }

  /**
   * Fails where the schema is older than this program: another database than it was started with.
   */
  void check() {
    int found =
        database.call(
            connection ->
                Sql.first(
                        connection,
                        row -> row.getInt(1),
                        "SELECT coalesce(max(version), 0) FROM schema_versions")
                    .orElse(0));
    if (found < FILES.size()) {
      throw new QueueException.Broken(
          "store.schema",
          "The database has schema "
              + found
              + " and this program needs "
              + FILES.size()
              + "; restart it, which brings the schema up to date.",
          null);
    }
  }

  private static Map<Integer, String> applied(Connection connection) throws SQLException {
    try (PreparedStatement statement =
            connection.prepareStatement("SELECT version, sha256 FROM schema_versions");
        ResultSet rows = statement.executeQuery()) {
      Map<Integer, String> applied = new TreeMap<>();
      while (rows.next()) {
        applied.put(rows.getInt(1), rows.getString(2));
      }
      return applied;
    }
  }

  private static void applyOne(Connection connection, int version, String appliedSha256)
      throws SQLException {
    String name = FILES.get(version - 1);
    String sql = read(name);
    String sha256 = Sha256.hex(sql.getBytes(StandardCharsets.UTF_8));
    if (sha256.equals(appliedSha256)) {
      return;
    }
    if (appliedSha256 != null) {
      throw new QueueException.Broken(
          "store.schema",
          "The schema file "
              + name
              + " is not the one this database was made with; start the same version again.",
          null);
    }
    try (Statement statement = connection.createStatement();
        PreparedStatement insert =
            connection.prepareStatement(
                "INSERT INTO schema_versions (version, name, sha256) VALUES (?, ?, ?)")) {
      statement.execute(sql);
      insert.setInt(1, version);
      insert.setString(2, name);
      insert.setString(3, sha256);
      insert.executeUpdate();
    }
    LOG.info("applied schema {}", name);
  }

  private static String read(String name) {
    try (InputStream in = Migrations.class.getResourceAsStream("schema/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new QueueException.Broken(
          "store.schema", "The schema file " + name + " cannot be read from the program.", e);
    }
  }
}
