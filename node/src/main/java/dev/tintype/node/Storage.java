package dev.tintype.node;

import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DerivedStore;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.queue.blob.S3BlobStore;
import dev.tintype.queue.blob.S3DerivedStore;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.store.AccountAdmin;
import dev.tintype.queue.store.BlobLedger;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.PostgresAccountAdmin;
import dev.tintype.queue.store.PostgresBlobLedger;
import dev.tintype.queue.store.PostgresConfig;
import dev.tintype.queue.sweep.BlobSweep;
import dev.tintype.queue.sweep.Sweeper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Where pictures lie, and the sweep over them; also for a command beside a running server. */
public final class Storage implements AutoCloseable {
  /** Files of writes that broke off go when they are this old; the longest write takes seconds. */
  private static final Duration TIDY_AGE = Duration.ofHours(1);

  private final Closers closers = new Closers();
  private final BlobSweep sweep;
  private final AccountAdmin accounts;

  private Storage(NodeConfig config) {
    try {
      Path folder = config.data().toAbsolutePath().normalize();
      Database database = closers.add("connections", Database.open(database(config, folder)));
      accounts = new PostgresAccountAdmin(database);
      sweep =
          sweep(config, new PostgresBlobLedger(database), blobs(config, folder, closers), closers);
    } catch (RuntimeException e) {
      closers.close();
      throw e;
    }
  }

  /**
   * Opens database and blobs of a configuration. An embedded database that a server runs is shared
   * with it; one that nobody runs is started.
   */
  public static Storage open(NodeConfig config) {
    return new Storage(config);
  }

  /** The sweep over these blobs. */
  public BlobSweep sweep() {
    return sweep;
  }

  /** The users whose pictures these are. */
  public AccountAdmin accounts() {
    return accounts;
  }

  private PostgresConfig database(NodeConfig config, Path folder) {
    if (config.databaseUrl().isPresent()) {
      return PostgresConfig.of(
          config.databaseUrl().get(), config.databaseUser(), config.databasePassword());
    }
    Path queue = folder.resolve("queue");
    if (!Files.isDirectory(queue)) {
      throw new NodeException.Start(
          "data.none", "There is no data in " + folder + "; name the server's folder with --data.");
    }
    Optional<PostgresConfig> running = EmbeddedPostgres.running(queue);
    if (running.isPresent()) {
      return running.get();
    }
    closers.add("data", DataFolder.open(folder));
    return closers.add("database", EmbeddedPostgres.start(queue)).config();
  }

  static BlobStore blobs(NodeConfig config, Path folder, Closers closers) {
    return config.fleet().s3().isPresent()
        ? closers.add("blobs", new S3BlobStore(config.fleet().s3().get()))
        : new DirectoryBlobStore(folder.resolve("blobs"));
  }

  static Sweeper sweeper(NodeConfig config, BlobLedger ledger, BlobStore blobs, Closers closers) {
    return new Sweeper(
        sweep(config, ledger, blobs, closers), () -> blobs.tidy(Instant.now().minus(TIDY_AGE)));
  }

  /** Where edges share variants, those of a deleted picture go with it. */
  private static BlobSweep sweep(
      NodeConfig config, BlobLedger ledger, BlobStore blobs, Closers closers) {
    Clock clock = Clock.systemUTC();
    boolean shared = config.edge().getOrDefault("edge.variants", "disk").equals("store");
    if (!shared || config.fleet().s3().isEmpty()) {
      return new BlobSweep(blobs, ledger, config.sweep(), clock);
    }
    DerivedStore variants = closers.add("swept", new S3DerivedStore(config.fleet().s3().get()));
    return new BlobSweep(blobs, ledger, config.sweep(), clock, variants::forget);
  }

  @Override
  public void close() {
    closers.close();
  }
}
