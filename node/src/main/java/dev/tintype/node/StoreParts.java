package dev.tintype.node;

import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.store.AccountAdmin;
import dev.tintype.queue.store.BlobLedger;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.EventHub;
import dev.tintype.queue.store.JobStore;
import dev.tintype.queue.store.LiveEventHub;
import dev.tintype.queue.store.PostgresAccountAdmin;
import dev.tintype.queue.store.PostgresAccountStore;
import dev.tintype.queue.store.PostgresBlobLedger;
import dev.tintype.queue.store.PostgresConfig;
import dev.tintype.queue.store.PostgresJobStore;
import dev.tintype.queue.store.PostgresSignals;
import dev.tintype.queue.store.PostgresUploadStore;
import dev.tintype.queue.store.PostgresWebhookOutbox;
import dev.tintype.queue.store.RetryPolicy;
import dev.tintype.queue.store.UploadStore;
import dev.tintype.queue.store.WebhookOutbox;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;

/**
 * The truth about jobs, and the signals around it.
 *
 * @param where one line for people
 */
record StoreParts(
    Database database,
    JobStore jobs,
    PostgresAccountStore accounts,
    AccountAdmin accountAdmin,
    UploadStore uploads,
    BlobLedger ledger,
    WebhookOutbox webhooks,
    PostgresSignals signals,
    EventHub events,
    String where) {

  /**
   * Connects to the database of the configuration, starting one below the folder where it is ours,
   * and waiting for one that is not.
   */
  static StoreParts open(
      NodeConfig config, Path folder, StartWait wait, SecureRandom random, Closers closers) {
    Database database;
    String where;
    if (config.roles().contains(Role.QUEUE) && config.databaseUrl().isEmpty()) {
      EmbeddedPostgres server = closers.add("database", EmbeddedPostgres.start(folder));
      PostgresConfig postgres = server.config().withConnections(config.databaseConnections());
      database = Database.open(postgres);
      where = "PostgreSQL " + EmbeddedPostgres.VERSION + ", fsync on, data in " + folder;
    } else {
      String url = config.databaseUrl().orElseThrow();
      PostgresConfig postgres =
          PostgresConfig.of(url, config.databaseUser(), config.databasePassword())
              .withConnections(config.databaseConnections());
      database = wait.forDatabase(postgres);
      where = "PostgreSQL at " + postgres.address();
    }
    closers.add("connections", database);
    PostgresSignals signals = closers.add("signals", PostgresSignals.start(database, random));
    JobStore jobs =
        closers.add(
            "jobs",
            new PostgresJobStore(
                database, signals, RetryPolicy.DEFAULT, Clock.systemUTC(), random));
    PostgresAccountStore accounts = new PostgresAccountStore(database, random);
    EventHub events = closers.add("events", LiveEventHub.start(jobs, signals));
    return new StoreParts(
        database,
        jobs,
        accounts,
        new PostgresAccountAdmin(database),
        new PostgresUploadStore(database),
        new PostgresBlobLedger(database),
        new PostgresWebhookOutbox(database),
        signals,
        events,
        where);
  }
}
