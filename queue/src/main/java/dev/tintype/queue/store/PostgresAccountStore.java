package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Users and keys on PostgreSQL. A key is {@code tt_} and 256 random bits; one SHA-256 suffices for
 * such a key, since nobody can guess it.
 */
public final class PostgresAccountStore implements AccountStore {
  private static final String KEY_PREFIX = "tt_";
  private static final int KEY_BYTES = 32;
  private static final int KEY_CHARS_MAX = 200;
  private static final int KEY_ID_CHARS = 12;
  private static final int USER_CHARS_MAX = 128;
  private static final String FIRST_USER = "admin";
  private static final String FIRST_TIER = "pro";

  private static final String TIERS = "SELECT * FROM tiers ORDER BY max_wait_s DESC, weight, name";

  private static final String ACCOUNT =
      "SELECT u.id AS user_id, u.admin, t.* FROM users u JOIN tiers t ON t.name = u.tier WHERE u.id"
          + " = ?";

  private final Database database;
  private final SecureRandom random;

  public PostgresAccountStore(Database database, SecureRandom random) {
    this.database = database;
    this.random = random;
  }

  @Override
  public Optional<Account> authenticate(String apiKey) {
    if (!apiKey.startsWith(KEY_PREFIX) || apiKey.length() > KEY_CHARS_MAX) {
      return Optional.empty();
    }
    String sha256 = digest(apiKey);
    return database.call(
        connection ->
            Sql.first(
                connection,
                row -> account(row, keyId(sha256)),
                "SELECT u.id AS user_id, u.admin, t.* FROM api_keys k JOIN users u ON u.id ="
                    + " k.user_id JOIN tiers t ON t.name = u.tier WHERE k.sha256 = ? AND"
                    + " k.revoked_at IS NULL AND NOT u.disabled",
                sha256));
  }

  @Override
  public Optional<String> firstKey() {
    return database.inTransaction(
        connection -> {
          // Two processes at their first start must not both make one.
          Sql.update(connection, "LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE");
          if (Sql.first(connection, row -> true, "SELECT 1 FROM api_keys LIMIT 1").isPresent()) {
            return Optional.empty();
          }
          Sql.update(
              connection,
              "INSERT INTO users (id, tier, admin) VALUES (?, ?, true) ON CONFLICT DO NOTHING",
              FIRST_USER,
              firstTier(connection));
          return Optional.of(insertKey(connection, FIRST_USER, "made at first start"));
        });
  }

  /** {@code pro}, unless the operator's settings have no such tier. */
  private static String firstTier(Connection connection) throws SQLException {
    List<Tier> tiers = Sql.query(connection, PostgresAccountStore::tier, TIERS);
    return tiers.stream()
        .map(Tier::name)
        .filter(FIRST_TIER::equals)
        .findFirst()
        .orElseGet(() -> Tier.fastest(tiers).name());
  }

  @Override
  public String anotherFirstKey() {
    return createKey(FIRST_USER, "made at a start without the first key");
  }

  @Override
  public Account createUser(String userId, String tier, boolean admin) {
    if (!userId.matches("[A-Za-z0-9._@+-]{1," + USER_CHARS_MAX + "}")) {
      throw new QueueException.Invalid(
          "account.id", "A user's id is 1 to " + USER_CHARS_MAX + " letters, digits and . _ @ + -");
    }
    return database.inTransaction(
        connection -> {
          requireTier(connection, tier);
          int inserted =
              Sql.update(
                  connection,
                  "INSERT INTO users (id, tier, admin) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                  userId,
                  tier,
                  admin);
          if (inserted == 0) {
            throw new QueueException.Invalid(
                "account.exists", "There is a user with this id already.");
          }
          return Sql.first(connection, row -> account(row, ""), ACCOUNT, userId).orElseThrow();
        });
  }

  static void requireTier(Connection connection, String tier) throws SQLException {
    if (Sql.first(connection, row -> true, "SELECT 1 FROM tiers WHERE name = ?", tier).isEmpty()) {
      throw new QueueException.Invalid("account.tier", "There is no tier of that name.");
    }
  }

  @Override
  public String createKey(String userId, String label) {
    return database.inTransaction(
        connection -> {
          if (Sql.first(connection, row -> true, "SELECT 1 FROM users WHERE id = ?", userId)
              .isEmpty()) {
            throw new QueueException.Invalid("account.unknown", "There is no such user.");
          }
          return insertKey(connection, userId, label);
        });
  }

  private String insertKey(Connection connection, String userId, String label) throws SQLException {
    byte[] bytes = new byte[KEY_BYTES];
    random.nextBytes(bytes);
    String key = KEY_PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    Sql.update(
        connection,
        "INSERT INTO api_keys (sha256, user_id, label) VALUES (?, ?, left(?, 200))",
        digest(key),
        userId,
        label);
    return key;
  }

  @Override
  public boolean revokeKey(String userId, String keyId) {
    return database.call(
        connection ->
            Sql.update(
                    connection,
                    "UPDATE api_keys SET revoked_at = tintype_now()"
                        + " WHERE user_id = ? AND left(sha256, ?) = ? AND revoked_at IS NULL",
                    userId,
                    KEY_ID_CHARS,
                    keyId)
                > 0);
  }

  @Override
  public Optional<Account> account(String userId) {
    return database.call(
        connection -> Sql.first(connection, row -> account(row, ""), ACCOUNT, userId));
  }

  @Override
  public List<Tier> tiers() {
    return database.call(connection -> Sql.query(connection, PostgresAccountStore::tier, TIERS));
  }

  private static Account account(ResultSet row, String keyId) throws SQLException {
    return new Account(row.getString("user_id"), tier(row), row.getBoolean("admin"), keyId);
  }

  private static Tier tier(ResultSet row) throws SQLException {
    return new Tier(
        row.getString("name"),
        row.getInt("weight"),
        Duration.ofSeconds(row.getInt("max_wait_s")),
        row.getInt("running_max"),
        row.getInt("queued_max"),
        Duration.ofSeconds(row.getLong("retention_s")),
        TierClass.ofWire(row.getString("tier_class")),
        fast(row),
        Optional.ofNullable(row.getString("pool")),
        row.getBoolean("pool_spills"));
  }

  private static OptionalLong fast(ResultSet row) throws SQLException {
    long seconds = row.getLong("fast_gpu_s");
    return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(seconds);
  }

  private static String digest(String key) {
    return Sha256.hex(key.getBytes(StandardCharsets.UTF_8));
  }

  static String keyId(String sha256) {
    return sha256.substring(0, KEY_ID_CHARS);
  }
}
