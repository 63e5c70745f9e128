package dev.tintype.queue.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
@Timeout(180)
class EmbeddedPostgresTest {
  @TempDir Path folder;
  private EmbeddedPostgres server;

  @AfterEach
  void stop() {
    if (server != null) {
      server.close();
    }
  }

  private Path data() {
    return folder.resolve("database");
  }

  private void assertRefused(String code, Path data) {
    assertThatThrownBy(() -> EmbeddedPostgres.start(data).close())
        .isInstanceOfSatisfying(
            QueueException.Refused.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  /**
   * Clients submit from four threads while the server is killed with SIGKILL; after the restart
   * every job that was accepted is there.
   */
  @Test
  void everyAcceptedJobSurvivesAKill() throws Exception {
    server = EmbeddedPostgres.start(data());
    Queue<JobId> accepted = new ConcurrentLinkedQueue<>();
    CountDownLatch many = new CountDownLatch(200);
    AtomicBoolean stopped = new AtomicBoolean();
    try (TestDatabase db = TestDatabase.on(server.config());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      db.accounts.createUser("pam", "pro", false);
      IntStream.range(0, 4)
          .forEach(
              i ->
                  threads.submit(
                      () -> {
                        while (!stopped.get()) {
                          accepted.add(db.submit("pam").id());
                          many.countDown();
                        }
                      }));
      assertThat(many.await(60, TimeUnit.SECONDS)).isTrue();
      ProcessHandle killed = server.process();
      killed.destroyForcibly();
      killed.onExit().get(20, TimeUnit.SECONDS);
      stopped.set(true);
    }
    server.close();
    server = EmbeddedPostgres.start(data());
    try (TestDatabase db = TestDatabase.on(server.config())) {
      assertThat(accepted).hasSizeGreaterThanOrEqualTo(200);
      assertThat(accepted).allMatch(id -> db.store.get(id).isPresent());
      assertThat(accepted).allMatch(id -> db.store.events(id, 0, 10).size() == 1);
    }
  }

  @Test
  void aKilledServerComesBackAndTheStoreGoesOn() throws Exception {
    server = EmbeddedPostgres.start(data());
    try (TestDatabase db = TestDatabase.on(server.config())) {
      db.accounts.createUser("pam", "pro", false);
      Job before = db.submit("pam");
      ProcessHandle killed = server.process();
      killed.destroyForcibly();
      killed.onExit().get(20, TimeUnit.SECONDS);
      Job after = submitSoon(db);
      assertThat(db.store.list("pam", Optional.empty(), 10))
          .extracting(Job::id)
          .contains(before.id(), after.id());
      assertThat(server.process().pid()).isNotEqualTo(killed.pid());
    }
  }

  /** A submission waits for a connection for some seconds by itself, so this is no busy loop. */
  private static Job submitSoon(TestDatabase db) {
    for (int attempt = 1; ; attempt++) {
      try {
        return db.submit("pam");
      } catch (QueueException.Unavailable e) {
        assertThat(attempt).as(e.code()).isLessThan(1_000);
      }
    }
  }

  @Test
  void aSecondStartTakesUpTheFolderWithTheSameSettings() throws Exception {
    server = EmbeddedPostgres.start(data());
    server.close();
    server = EmbeddedPostgres.start(data());
    try (var connection =
            DriverManager.getConnection(
                server.config().url(), server.config().user(), server.config().password());
        var rows =
            connection
                .createStatement()
                .executeQuery(
                    "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings"
                        + " WHERE name IN ('fsync', 'synchronous_commit', 'listen_addresses',"
                        + " 'unix_socket_directories', 'data_checksums')")) {
      rows.next();
      assertThat(rows.getString(1))
          .isEqualTo(
              "data_checksums=on fsync=on listen_addresses=127.0.0.1 synchronous_commit=on"
                  + " unix_socket_directories=");
    }
  }

  @Test
  void aWrongPasswordIsRefusedAndTheRightOneIsPrivate() throws IOException {
    server = EmbeddedPostgres.start(data());
    assertThatThrownBy(
            () -> DriverManager.getConnection(server.config().url(), "tintype", "guess").close())
        .isInstanceOfSatisfying(
            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
    Path password = data().resolve("password");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(password)))
        .isEqualTo("rw-------");
    assertThat(server.config().toString()).doesNotContain(Files.readString(password));
  }

  /**
   * Another Java process starts the server and is killed with SIGKILL: its server goes on, and
   * nobody holds the lock.
   */
  @Test
  void aServerLeftBehindByAKilledProcessIsStopped() throws Exception {
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                StartAndWait.class.getName(),
                data().toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    ProcessHandle orphan =
        ProcessHandle.of(Long.parseLong(other.inputReader().readLine())).orElseThrow();
    assertRefused("database.in_use", data());
    other.destroyForcibly().waitFor();
    assertThat(orphan.isAlive()).isTrue();
    server = EmbeddedPostgres.start(data());
    assertThat(orphan.isAlive()).isFalse();
    assertThat(server.process().isAlive()).isTrue();
  }

  /** After a reboot the pid in postmaster.pid may belong to any program. */
  @Test
  void aPidFileThatNamesAStrangerIsNoObstacle() throws Exception {
    server = EmbeddedPostgres.start(data());
    server.close();
    Files.writeString(
        data().resolve("pg/postmaster.pid"), ProcessHandle.current().pid() + "\n/elsewhere\n");
    server = EmbeddedPostgres.start(data());
    assertThat(server.process().isAlive()).isTrue();
  }

  @Test
  void refusalsSayWhatToDo() throws IOException {
    server = EmbeddedPostgres.start(data());
    assertRefused("database.in_use", data());
    server.close();

    Files.writeString(data().resolve("pg/PG_VERSION"), "17\n");
    assertRefused("database.version", data());
    Files.writeString(data().resolve("pg/PG_VERSION"), "18\n");

    Path foreign = Files.createDirectory(folder.resolve("foreign"));
    Files.writeString(foreign.resolve("letter.txt"), "dear");
    assertRefused("database.folder", foreign);

    Path file = Files.writeString(folder.resolve("file"), "");
    assertRefused("database.io", file);
  }

  @Test
  void theServersLastWordsAreUnderstood() {
    Path data = Path.of("/data");
    assertThat(
            DatabaseErrors.fromLog(
                    data, List.of("x", "FATAL: could not write: No space left on device"))
                .code())
        .isEqualTo("database.full");
    assertThat(
            DatabaseErrors.fromLog(data, List.of("could not open file: Read-only file system"))
                .code())
        .isEqualTo("database.read_only");
    assertThat(
            DatabaseErrors.fromLog(
                    data, List.of("unshare: unshare failed: Operation not permitted"))
                .code())
        .isEqualTo("database.root");
    assertThat(DatabaseErrors.fromLog(data, List.of("something new")).getMessage())
        .contains("something new");
  }
}
