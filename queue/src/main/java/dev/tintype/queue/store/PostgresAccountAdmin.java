package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Administration of accounts on PostgreSQL. */
public final class PostgresAccountAdmin implements AccountAdmin {
  private static final String USER = "SELECT id, tier, admin, disabled, created_at FROM users";

  private static final String OTHERS = "SELECT name FROM tiers ORDER BY name FOR UPDATE";

  /**
   * Each part has an index that begins with the tier, or holds few rows. Parameters: tier, thrice.
   */
  private static final String OF_TIER =
      "(SELECT 1 FROM jobs WHERE tier = ? AND state = 'queued' LIMIT 1) UNION ALL (SELECT 1 FROM"
          + " jobs WHERE tier = ? AND "
          + JobMoves.leased()
          + " LIMIT 1) UNION ALL (SELECT 1 FROM jobs WHERE tier = ? AND "
          + Retention.ENDED
          + " LIMIT 1)";

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
  public List<LeftOut> declareTiers(List<Tier> tiers) {
    Set<String> names = tiers.stream().map(Tier::name).collect(Collectors.toSet());
    if (names.isEmpty() || names.size() < tiers.size()) {
      throw new QueueException.Invalid(
          "account.tiers", "There is at least one tier, and each has a name of its own.");
    }
    return database.inTransaction(
        connection -> {
          // Processes of a fleet that start together do this one after the other.
          Sql.update(connection, "LOCK TABLE tiers IN SHARE ROW EXCLUSIVE MODE");
          for (Tier tier : tiers) {
            put(connection, tier);
          }
          List<LeftOut> leftOut = new ArrayList<>();
          for (String tier : Sql.query(connection, row -> row.getString(1), OTHERS)) {
            if (!names.contains(tier)) {
              leftOut.add(leaveOut(connection, tier, Tier.byDefault(tiers).name()));
            }
          }
          return leftOut;
        });
  }

  private static LeftOut leaveOut(Connection connection, String tier, String into)
      throws SQLException {
    int users = Sql.update(connection, "UPDATE users SET tier = ? WHERE tier = ?", into, tier);
    // Waits for submissions under way, and holds up new ones until the tier is gone for them too:
    // a job of a tier that does not exist would wait for ever.
    Sql.update(connection, "LOCK TABLE jobs IN SHARE MODE");
    boolean gone = Sql.query(connection, row -> true, OF_TIER, tier, tier, tier).isEmpty();
    if (gone) {
      Sql.update(connection, "DELETE FROM tiers WHERE name = ?", tier);
    }
    return new LeftOut(tier, users, gone);
  }

  @Override
  public void putTier(Tier tier) {
    database.call(connection -> put(connection, tier));
  }

  private static int put(Connection connection, Tier tier) throws SQLException {
    return Sql.update(
        connection,
        "INSERT INTO tiers (name, weight, max_wait_s, running_max, queued_max, retention_s,"
            + " tier_class, fast_gpu_s, pool, pool_spills) VALUES (?, ?, ?, ?, ?, ?, ?, ?::bigint,"
            + " ?::text, ?) ON CONFLICT (name) DO UPDATE SET weight = excluded.weight, max_wait_s ="
            + " excluded.max_wait_s, running_max = excluded.running_max, queued_max ="
            + " excluded.queued_max, retention_s = excluded.retention_s, tier_class ="
            + " excluded.tier_class, fast_gpu_s = excluded.fast_gpu_s, pool = excluded.pool,"
            + " pool_spills = excluded.pool_spills",
        tier.name(),
        tier.weight(),
        (int) tier.maxWait().toSeconds(),
        tier.runningMax(),
        tier.queuedMax(),
        tier.retention().toSeconds(),
        tier.tierClass().wire(),
        tier.fastGpuSeconds().isPresent()
            ? Optional.of(tier.fastGpuSeconds().getAsLong())
            : Optional.empty(),
        tier.pool(),
        tier.spills());
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
