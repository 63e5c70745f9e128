package dev.tintype.queue.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A task that one process of the fleet does: an advisory lock of the database, held by a connection
 * of its own for as long as that lives. The process dies, or loses the database, and another has
 * it; so it is within {@link #SILENT_MAX} where the process only stands still, provided that it
 * asks {@link #held} more often. While the database fails over two may have it for a moment, so the
 * task has to bear that. For one thread.
 */
public final class FleetLock implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FleetLock.class);

  /** Longest wait for the server, s. */
  private static final int ANSWER_S_MAX = 5;

  /**
   * A holder that asks no more, because it was stopped or its line is cut, loses the lock after
   * this: the server ends its session.
   */
  public static final Duration SILENT_MAX = Duration.ofSeconds(60);

  /** Another one than that of users' locks ({@link OpenJobs}), which have names of any text. */
  private static final int SEED = 8;

  private static final Executor DIRECT = Runnable::run;

  private final Database database;
  private final String task;
  private Optional<Connection> connection = Optional.empty();
  private boolean ours;

  /**
   * @param task the same name in every process
   */
  public FleetLock(Database database, String task) {
    this.database = database;
    this.task = task;
  }

  /** True where this process has it now; tries to get it otherwise. Raises nothing. */
  public boolean held() {
    try {
      if (connection.isPresent() && !connection.get().isValid(ANSWER_S_MAX)) {
        close();
      }
      if (connection.isEmpty()) {
        connection = Optional.of(database.dedicated());
        connection.get().setNetworkTimeout(DIRECT, 2 * ANSWER_S_MAX * 1_000);
        update(connection.get(), "SET idle_session_timeout = " + SILENT_MAX.toMillis());
      }
      ours = ours || tryLock(connection.get());
      return ours;
    } catch (SQLException e) {
      LOG.debug("The task {} is not ours: {}", task, e.getMessage());
      close();
      return false;
    }
  }

  private static void update(Connection on, String sql) throws SQLException {
    try (Statement statement = on.createStatement()) {
      statement.execute(sql);
    }
  }

  private boolean tryLock(Connection on) throws SQLException {
    try (Statement statement = on.createStatement()) {
      statement.setQueryTimeout(ANSWER_S_MAX);
      try (ResultSet row =
          statement.executeQuery(
              "SELECT pg_try_advisory_lock(hashtextextended('" + task + "', " + SEED + "))")) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  /** Gives it back. */
  @Override
  public void close() {
    ours = false;
    connection.ifPresent(
        open -> {
          try {
            open.close();
          } catch (SQLException e) {
            LOG.debug("The connection of the task {} did not close", task, e);
          }
        });
    connection = Optional.empty();
  }
}
