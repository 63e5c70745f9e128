package dev.tintype.queue.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import dev.tintype.queue.QueueException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bounded pool of connections with deadlines on everything. A statement outside of {@link
 * #inTransaction} is a transaction of its own, which saves two round trips; {@code
 * synchronous_commit} is on whatever the server's default is.
 */
public final class Database implements AutoCloseable {
  /** A transaction that loses to another one is run this often in all. */
  private static final int TRIES_MAX = 5;

  private static final Logger LOG = LoggerFactory.getLogger(Database.class);
  private static final long TELL_EVERY_NANOS = Duration.ofSeconds(30).toNanos();

  private final PostgresConfig config;
  private final HikariDataSource pool;
  private final AtomicLong toldAt = new AtomicLong(System.nanoTime() - TELL_EVERY_NANOS);

  private Database(PostgresConfig config, HikariDataSource pool) {
    this.config = config;
    this.pool = pool;
  }

  /**
   * Connects, brings the schema up to date, and refuses a server that does not write through to the
   * disk.
   */
  public static Database open(PostgresConfig config) {
    HikariConfig hikari = new HikariConfig();
    hikari.setPoolName("tintype");
    hikari.setJdbcUrl(config.url());
    hikari.setUsername(config.user());
    hikari.setPassword(config.password());
    hikari.setMaximumPoolSize(config.connections());
    hikari.setMinimumIdle(Math.min(2, config.connections()));
    hikari.setConnectionTimeout(config.acquireTimeout().toMillis());
    hikari.setInitializationFailTimeout(config.acquireTimeout().toMillis());
    hikari.setDataSourceProperties(properties(config, config.statementTimeout().toMillis()));
    HikariDataSource source;
    try {
      source = new HikariDataSource(hikari);
    } catch (HikariPool.PoolInitializationException e) {
      throw e.getCause() instanceof SQLException sql
          ? SqlErrors.whileConnecting(sql)
          : new QueueException.Unavailable(
              "store.unavailable", "The database cannot be reached.", e);
    }
    Database database = new Database(config, source);
    try {
      database.checkDurability();
      new Migrations(database).apply();
      return database;
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  /**
   * One connection, opened and closed: unlike {@link #open} it does not try again for some seconds,
   * so that a refusal is known at once.
   */
  public static void reach(PostgresConfig config) {
    try {
      connect(config, config.statementTimeout().toMillis()).close();
    } catch (SQLException e) {
      throw SqlErrors.whileConnecting(e);
    }
  }

  private static Properties properties(PostgresConfig config, long statementTimeoutMs) {
    Properties properties = new Properties();
    properties.setProperty("ApplicationName", "tintype");
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty(
        "connectTimeout", Long.toString(Math.max(1, config.acquireTimeout().toSeconds())));
    // A server that is gone without a word: give up somewhat after the server itself would have.
    if (statementTimeoutMs > 0) {
      properties.setProperty("socketTimeout", Long.toString(statementTimeoutMs / 1000 + 5));
    }
    properties.setProperty("reWriteBatchedInserts", "true");
    properties.setProperty(
        "options",
        "-c statement_timeout=%d -c lock_timeout=%d -c idle_in_transaction_session_timeout=30000 -c synchronous_commit=on -c timezone=UTC"
            .formatted(statementTimeoutMs, config.lockTimeout().toMillis()));
    return properties;
  }

  private void checkDurability() {
    String fsync =
        call(
            connection -> {
              try (PreparedStatement statement = connection.prepareStatement("SHOW fsync");
                  ResultSet rows = statement.executeQuery()) {
                rows.next();
                return rows.getString(1);
              }
            });
    if (!fsync.equals("on")) {
      throw new QueueException.Refused(
          "store.durability",
          "The database runs with fsync=" + fsync + ", so it may lose accepted jobs; set fsync=on.",
          null);
    }
  }

  /** Runs work whose every statement is a transaction of its own. */
  public <T> T call(SqlWork<T> work) {
    for (int attempt = 1; ; attempt++) {
      try (Connection connection = pool.getConnection()) {
        return work.on(connection);
      } catch (SQLException e) {
        if (attempt == TRIES_MAX || !SqlErrors.repeatable(e)) {
          QueueException error = SqlErrors.translate(e);
          if (SqlErrors.refused(e)) {
            tell(error.code(), e);
          }
          throw error;
        }
      }
    }
  }

  /** Every call fails with it, and only the log may say why. */
  private void tell(String code, SQLException e) {
    long last = toldAt.get();
    long now = System.nanoTime();
    if (now - last >= TELL_EVERY_NANOS && toldAt.compareAndSet(last, now)) {
      LOG.warn(
          "PostgreSQL at {} does not let us in any more, work waits for it: {} ({})",
          config.address(),
          code,
          SqlErrors.message(e));
    }
  }

  /** Runs work as one transaction, again from its start where it lost to another one. */
  public <T> T inTransaction(SqlWork<T> work) {
    return call(
        connection -> {
          connection.setAutoCommit(false);
          try {
            T result = work.on(connection);
            connection.commit();
            return result;
          } catch (SQLException | RuntimeException e) {
            rollback(connection, e);
            throw e;
          } finally {
            restore(connection);
          }
        });
  }

  private static void rollback(Connection connection, Exception cause) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  /**
   * A broken connection cannot be restored; the pool finds that out by itself and throws it away.
   */
  private static void restore(Connection connection) throws SQLException {
    if (!connection.isClosed()) {
      connection.setAutoCommit(true);
    }
  }

  /**
   * A connection of its own, outside of the pool and without a statement timeout: for LISTEN. The
   * caller closes it.
   */
  Connection dedicated() throws SQLException {
    return connect(config, 0);
  }

  private static Connection connect(PostgresConfig config, long statementTimeoutMs)
      throws SQLException {
    Properties properties = properties(config, statementTimeoutMs);
    properties.setProperty("user", config.user());
    properties.setProperty("password", config.password());
    return DriverManager.getConnection(config.url(), properties);
  }

  @Override
  public void close() {
    pool.close();
  }

  /** Work on a connection. */
  @FunctionalInterface
  public interface SqlWork<T> {
    T on(Connection connection) throws SQLException;
  }
}
