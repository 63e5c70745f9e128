package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.hostchooser.HostRequirement;
import org.postgresql.jdbc.GSSEncMode;
import org.postgresql.jdbc.SslMode;

/**
 * How to reach PostgreSQL.
 *
 * @param url {@code jdbc:postgresql://host:port/database}
 * @param user role that owns the tables
 * @param password never logged
 * @param connections most connections of this process, default 10; each costs the server about 10
 *     MB. Two more are held for LISTEN and NOTIFY
 * @param acquireTimeout longest wait for a free connection, default 5 s
 * @param statementTimeout longest run of one statement, default 10 s
 * @param lockTimeout longest wait for a row that another transaction holds, default 5 s
 */
public record PostgresConfig(
    String url,
    String user,
    String password,
    int connections,
    Duration acquireTimeout,
    Duration statementTimeout,
    Duration lockTimeout) {
  private static final String SCHEME = "jdbc:postgresql://";
  public static final int CONNECTIONS_DEFAULT = 10;
  public static final int CONNECTIONS_MAX = 200;

  public PostgresConfig {
    if (!url.startsWith(SCHEME)) {
      throw new QueueException.Invalid("store.config", "The database's url starts with " + SCHEME);
    }
    checkUrl(url);
    if (connections < 1 || connections > CONNECTIONS_MAX) {
      throw new QueueException.Invalid(
          "store.config", "connections is from 1 to " + CONNECTIONS_MAX);
    }
    // HikariCP takes no acquire timeout below 250 ms.
    if (acquireTimeout.toMillis() < 250
        || statementTimeout.toMillis() < 1
        || lockTimeout.toMillis() < 1) {
      throw new QueueException.Invalid(
          "store.config", "timeouts are longer than nothing, acquireTimeout at least 250 ms");
    }
  }

  /**
   * As its driver reads it, which tells some mistakes only as an outage. Its text may be secret.
   */
  private static void checkUrl(String url) {
    Properties parts = Driver.parseURL(url, null);
    if (parts == null || PGProperty.PG_HOST.getOrDefault(parts).contains("@")) {
      throw new QueueException.Invalid(
          "store.config",
          "The database's url is such as "
              + SCHEME
              + "db:5432/tintype?sslmode=verify-full, its ports are numbers up to 65535, and user"
              + " and password are settings of their own.");
    }
    checkOption("sslmode", () -> SslMode.of(parts));
    checkOption("gssEncMode", () -> GSSEncMode.of(parts));
    checkOption(
        "targetServerType",
        () ->
            HostRequirement.getTargetServerType(PGProperty.TARGET_SERVER_TYPE.getOrDefault(parts)));
  }

  private static void checkOption(String name, Callable<?> reading) {
    try {
      reading.call();
    } catch (Exception e) { // The driver's, of which some have no type of their own.
      throw new QueueException.Invalid(
          "store.config",
          "The database's url has a value of " + name + " that its driver does not know.");
    }
  }

  /** All else by default. */
  public static PostgresConfig of(String url, String user, String password) {
    return new PostgresConfig(
        url,
        user,
        password,
        CONNECTIONS_DEFAULT,
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Duration.ofSeconds(5));
  }

  /** The same with another pool. */
  public PostgresConfig withConnections(int most) {
    return new PostgresConfig(
        url, user, password, most, acquireTimeout, statementTimeout, lockTimeout);
  }

  /** {@code host:port/database}, for people: what else is in the URL may be a secret. */
  public String address() {
    return url.substring(SCHEME.length()).replaceFirst("\\?.*", "");
  }

  @Override
  public String toString() {
    return "PostgresConfig[" + address() + ", user=" + user + ", connections=" + connections + "]";
  }
}
