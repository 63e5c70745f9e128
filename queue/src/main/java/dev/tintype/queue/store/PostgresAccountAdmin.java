package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** Administration of accounts on PostgreSQL. */
public final class PostgresAccountAdmin implements AccountAdmin {
  private static final String USER = "SELECT id, tier, admin, disabled, created_at FROM users";

  private final Database database;

  public PostgresAccountAdmin(Database database) {
    this.database = database;
  }

  @Override
  public List<User> users(Optional<String> after, int limit) {
    return database.call(
        connection ->
            Sql.query(
                connection,
                PostgresAccountAdmin::user,
                USER + " WHERE id > ? ORDER BY id LIMIT ?",
                after.orElse(""),
                limit));
  }

  @Override
  public Optional<User> user(String id) {
    return database.call(connection -> user(connection, id));
  }

  private static Optional<User> user(Connection connection, String id) throws SQLException {
    return Sql.first(connection, PostgresAccountAdmin::user, USER + " WHERE id = ?", id);
  }

  @Override
  public List<Key> keys(String userId) {
    return database.call(
        connection ->
            Sql.query(
                connection,
                row ->
                    new Key(
                        PostgresAccountStore.keyId(row.getString("sha256")),
                        row.getString("label"),
                        Sql.instant(row, "created_at"),
                        Sql.optionalInstant(row, "revoked_at")),
                "SELECT sha256, label, created_at, revoked_at FROM api_keys WHERE user_id = ?"
                    + " ORDER BY created_at DESC, sha256 LIMIT ?",
                userId,
                PAGE_MAX));
  }

  @Override
  public Optional<User> change(String userId, Change change) {
    return database.inTransaction(
        connection -> {
          // Two admins who dismiss one another wait here for one another.
          boolean some = !admins(connection).isEmpty();
          if (change.tier().isPresent()) {
            PostgresAccountStore.requireTier(connection, change.tier().get());
          }
          Sql.update(
              connection,
              "UPDATE users SET tier = coalesce(?::text, tier), admin = coalesce(?::boolean,"
                  + " admin), disabled = coalesce(?::boolean, disabled) WHERE id = ?",
              change.tier(),
              change.admin(),
              change.disabled(),
              userId);
          if (some && admins(connection).isEmpty()) {
            throw new QueueException.Invalid(
                "account.last_admin",
                "This is the last admin; make another one first, so that somebody is left.");
          }
          return user(connection, userId);
        });
  }

  private static List<String> admins(Connection connection) throws SQLException {
    return Sql.query(
        connection,
        row -> row.getString("id"),
        "SELECT id FROM users WHERE admin AND NOT disabled ORDER BY id FOR UPDATE");
  }

  @Override
  public void putTier(Tier tier) {
    database.call(
        connection ->
            Sql.update(
                connection,
                "INSERT INTO tiers (name, weight, max_wait_s, running_max, queued_max, retention_s,"
                    + " tier_class) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                    + " weight = excluded.weight, max_wait_s = excluded.max_wait_s, running_max ="
                    + " excluded.running_max, queued_max = excluded.queued_max, retention_s ="
                    + " excluded.retention_s, tier_class = excluded.tier_class",
                tier.name(),
                tier.weight(),
                (int) tier.maxWait().toSeconds(),
                tier.runningMax(),
                tier.queuedMax(),
                tier.retention().toSeconds(),
                tier.tierClass().wire()));
  }

  @Override
  public int forget(String userId) {
    return new Retention(database).forget(userId, FORGET_MAX);
  }

  private static User user(ResultSet row) throws SQLException {
    return new User(
        row.getString("id"),
        row.getString("tier"),
        row.getBoolean("admin"),
        row.getBoolean("disabled"),
        Sql.instant(row, "created_at"));
  }
}
