package dev.tintype.perf.simulate;

import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.CancelResult;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.DispatchStore;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.queue.store.PostgresAccountStore;
import dev.tintype.queue.store.PostgresJobStore;
import dev.tintype.queue.store.PostgresSignals;
import dev.tintype.queue.store.RetryPolicy;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The store of a platform, over one real server whose clock is ours. */
@Tag("slow")
@Timeout(180)
class PostgresStoreTest extends StoreContract {
  @TempDir static Path folder;
  private static EmbeddedPostgres server;
  private static Database database;
  private static PostgresSignals signals;
  private static PostgresJobStore store;

  private Instant now = Instant.parse("2026-01-01T00:00:00Z");

  @BeforeAll
  static void open() {
    server = EmbeddedPostgres.start(folder.resolve("postgres"));
    SecureRandom random = new SecureRandom();
    database = Database.open(server.config());
    signals = PostgresSignals.start(database, random);
    store = new PostgresJobStore(database, signals, RetryPolicy.DEFAULT, Clock.systemUTC(), random);
    PostgresAccountStore accounts = new PostgresAccountStore(database, random);
    accounts.createUser("ann", TIER, false);
    accounts.createUser("bob", TIER, false);
  }

  @AfterAll
  static void close() {
    signals.close();
    database.close();
    server.close();
  }

  @BeforeEach
  void empty() {
    run("TRUNCATE jobs CASCADE");
    pass(Duration.ZERO);
  }

  private static void run(String sql) {
    database.call(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            return statement.execute(sql);
          }
        });
  }

  @Override
  DispatchStore dispatch() {
    return store;
  }

  @Override
  LeaseStore leases() {
    return store;
  }

  @Override
  JobId submit(String user, JobSpec spec) {
    SubmitRequest request = SubmitRequest.plain(user, TIER, spec, "body", 100);
    return ((SubmitResult.Accepted) store.submit(request)).job().id();
  }

  @Override
  CancelResult cancel(JobId id) {
    return store.cancel(get(id).userId(), id);
  }

  @Override
  Job get(JobId id) {
    return store.get(id).orElseThrow();
  }

  @Override
  void pass(Duration time) {
    now = now.plus(time);
    run(
        "CREATE OR REPLACE FUNCTION tintype_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$"
            + " SELECT timestamptz '"
            + now
            + "' $$");
  }
}
