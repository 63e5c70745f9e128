package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is not let in: at a start, and later. */
@Tag("slow")
@Timeout(120)
class DatabaseTest {
  private static final String CODE = "store.login";

  @Test
  void aLoginThatIsRefusedEndsAStartAndIsAnOutageLater() {
    try (TestDatabase server = TestDatabase.create()) {
      execute(server.database, "CREATE ROLE guest SUPERUSER LOGIN PASSWORD 'old'");
      PostgresConfig config = guest(server.config());
      try (Database running = Database.open(config)) {
        execute(server.database, "ALTER ROLE guest PASSWORD 'new'");
        String end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity";
        execute(server.database, end + " WHERE usename = 'guest'");
        // The first call may still find that its connection broke.
        await(running, CODE);
        assertThatThrownBy(() -> execute(running, "SELECT 1"))
            .isInstanceOf(QueueException.Unavailable.class)
            .hasMessageNotContaining("guest")
            .cause()
            .isInstanceOfSatisfying(
                SQLException.class, e -> assertThat(SqlErrors.message(e)).contains("\"guest\""));
        refused(() -> Database.reach(config));
        refused(() -> Database.open(config));
        execute(server.database, "ALTER ROLE guest PASSWORD 'old'");
        await(running, "");
      } finally {
        execute(server.database, "DROP OWNED BY guest");
        execute(server.database, "DROP ROLE guest");
      }
    }
  }

  private static PostgresConfig guest(PostgresConfig own) {
    return new PostgresConfig(
        own.url(),
        "guest",
        "old",
        1,
        Duration.ofSeconds(1),
        own.statementTimeout(),
        own.lockTimeout());
  }

  private static void execute(Database database, String sql) {
    database.call(connection -> connection.createStatement().execute(sql));
  }

  /** Until the test's time is over. */
  private static void await(Database database, String code) {
    while (!code(database).equals(code)) {
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  /** Of an outage; empty where there is none. */
  private static String code(Database database) {
    try {
      execute(database, "SELECT 1");
      return "";
    } catch (QueueException.Unavailable e) {
      return e.code();
    }
  }

  private static void refused(Runnable start) {
    assertThatThrownBy(start::run)
        .isInstanceOfSatisfying(
            QueueException.Refused.class, e -> assertThat(e.code()).isEqualTo(CODE));
  }
}
