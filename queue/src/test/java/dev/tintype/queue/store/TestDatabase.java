package dev.tintype.queue.store;

import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * One real server for all tests of a run (a start costs a second); each test has a database of its
 * own on it.
 */
public final class TestDatabase implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static EmbeddedPostgres server;

  private final PostgresConfig config;
  public final Database database;
  public final PostgresSignals signals;
  public final PostgresJobStore store;
  public final PostgresAccountStore accounts;
  public final PostgresAccountAdmin administration;

  private TestDatabase(PostgresConfig config) {
    this.config = config;
    database = Database.open(config);
    signals = PostgresSignals.start(database, new SecureRandom());
    store =
        new PostgresJobStore(
            database, signals, RetryPolicy.DEFAULT, Clock.systemUTC(), new SecureRandom());
    accounts = new PostgresAccountStore(database, new SecureRandom());
    administration = new PostgresAccountAdmin(database);
  }

  /** A fresh database with the users ann (standard), bob (free) and pam (pro). */
  public static TestDatabase create() {
    PostgresConfig config = server().config();
    String name = "test" + NUMBER.incrementAndGet();
    try (Database admin = Database.open(config)) {
      admin.call(connection -> Sql.update(connection, "CREATE DATABASE " + name));
    }
    TestDatabase test =
        on(
            PostgresConfig.of(
                config.url().replace("/postgres", "/" + name), config.user(), config.password()));
    test.accounts.createUser("ann", "standard", false);
    test.accounts.createUser("bob", "free", false);
    test.accounts.createUser("pam", "pro", false);
    return test;
  }

  public static TestDatabase on(PostgresConfig config) {
    return new TestDatabase(config);
  }

  /** How to reach it. */
  PostgresConfig config() {
    return config;
  }

  /** Another process on the same database. */
  public TestDatabase another() {
    return on(config);
  }

  private static synchronized EmbeddedPostgres server() {
    if (server == null) {
      Path folder = temporaryFolder();
      server = EmbeddedPostgres.start(folder);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    server.close();
                    deleteAll(folder);
                  }));
    }
    return server;
  }

  private static Path temporaryFolder() {
    try {
      return Files.createTempDirectory("tintype-test-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static void deleteAll(Path folder) {
    try (Stream<Path> paths = Files.walk(folder)) {
      paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Moves the database's clock for all its clients: to {@code ahead} of the true time. */
  public void clockAhead(Duration ahead) {
    database.call(
        connection ->
            Sql.update(
                connection,
                "CREATE OR REPLACE FUNCTION tintype_now() RETURNS timestamptz LANGUAGE sql STABLE"
                    + " AS 'SELECT statement_timestamp() + interval ''"
                    + ahead.toMillis()
                    + " milliseconds'''"));
  }

  public static JobSpec spec(long seed) {
    return JobSpec.builder("tintype-mini", "a red sun").seed(seed).build();
  }

  /** A new job of the user, in a tier that has room for many. */
  public Job submit(String userId) {
    long seed = new Random().nextLong(1 << 30);
    SubmitRequest request = SubmitRequest.plain(userId, "pro", spec(seed), "f" + seed, 100);
    return switch (store.submit(request)) {
      case SubmitResult.Accepted accepted -> accepted.job();
      case SubmitResult.Replayed r -> throw new AssertionError(r);
      case SubmitResult.Conflict c -> throw new AssertionError(c);
      case SubmitResult.OverLimit o -> throw new AssertionError(o);
    };
  }

  @Override
  public void close() {
    signals.close();
    database.close();
  }
}
