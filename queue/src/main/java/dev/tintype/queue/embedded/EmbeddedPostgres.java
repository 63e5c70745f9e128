package dev.tintype.queue.embedded;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.PostgresConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running server on a folder of its own:
 *
 * <pre>
 *   lock       held while a process uses the folder
 *   password   of the role tintype, mode 600
 *   pg/        the server's data (PGDATA)
 * </pre>
 *
 * <p>Listens on 127.0.0.1 only, on a free port that changes with every start, with password
 * authentication, no Unix socket, fsync and synchronous_commit on. Close it last: it sends all
 * clients away.
 */
public final class EmbeddedPostgres implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);

  /** The major version that this program carries. */
  public static final String VERSION = "18";

  private static final String USER = "tintype";
  private static final Duration INIT_TIMEOUT = Duration.ofSeconds(60);

  private static final long FREE_BYTES_MIN = 128L << 20;

  private static final Set<PosixFilePermission> PRIVATE_FILE =
      PosixFilePermissions.fromString("rw-------");

  private final FolderLock lock;
  private final PostgresConfig config;
  private final SupervisedServer server;

  private EmbeddedPostgres(FolderLock lock, PostgresConfig config, SupervisedServer server) {
    this.lock = lock;
    this.config = config;
    this.server = server;
  }

  /**
   * How to connect to the server that another process runs on the folder; empty where none does. It
   * may be gone a moment later, and another may have its port: the password tells.
   */
  public static Optional<PostgresConfig> running(Path folder) {
    Path home = folder.toAbsolutePath().normalize();
    try {
      OptionalInt port = new PostmasterFile(home.resolve("pg")).port();
      Path password = home.resolve("password");
      return port.isPresent() && Files.exists(password)
          ? Optional.of(
              PostgresConfig.of(
                  url(port.getAsInt()),
                  USER,
                  Files.readString(password, StandardCharsets.US_ASCII).strip()))
          : Optional.empty();
    } catch (IOException e) {
      throw DatabaseErrors.io("the data folder " + home, e);
    }
  }

  private static String url(int port) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
  }

  /** Starts on the folder, with the programs unpacked into the user's cache folder. */
  public static EmbeddedPostgres start(Path folder) {
    return start(folder, PostgresBinaries.defaultCache());
  }

  /**
   * Starts on the folder, which is made where it is missing.
   *
   * @param cache where the server's programs are unpacked once; may be shared by any number of
   *     processes
   * @throws QueueException.Refused with a code {@code database.*}, see docs/errors.md
   */
  public static EmbeddedPostgres start(Path folder, Path cache) {
    Path home = folder.toAbsolutePath().normalize();
    FolderLock lock = null;
    try {
      Files.createDirectories(home);
      checkFolder(home);
      lock = FolderLock.take(home);
      EmbeddedPostgres started =
          startLocked(home, PostgresBinaries.unpack(programs(home, cache)), lock);
      lock = null;
      return started;
    } catch (IOException e) {
      throw DatabaseErrors.io("the data folder " + home, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QueueException.Refused("database.start", "The start was interrupted.", e);
    } finally {
      closeQuietly(lock);
    }
  }

  private static EmbeddedPostgres startLocked(Path folder, Path binaries, FolderLock lock)
      throws IOException, InterruptedException {
    Path pgdata = folder.resolve("pg");
    checkVersion(folder, pgdata);
    if (Files.getFileStore(folder).getUsableSpace() < FREE_BYTES_MIN) {
      throw DatabaseErrors.full(folder.toString(), null);
    }
    String password = password(folder);
    if (!Files.exists(pgdata)) {
      initialise(folder, pgdata, binaries);
    }
    new PostmasterFile(pgdata).clear();
    SupervisedServer server = SupervisedServer.start(folder, pgdata, binaries);
    LOG.info(
        "PostgreSQL {} runs on 127.0.0.1:{} with its data in {}", VERSION, server.port(), folder);
    return new EmbeddedPostgres(
        lock, PostgresConfig.of(url(server.port()), USER, password), server);
  }

  /** An unprivileged server may not be able to look into root's cache. */
  private static Path programs(Path home, Path cache) {
    return ServerProcess.needsOwner() ? home.resolve("programs") : cache.toAbsolutePath();
  }

  private static void checkFolder(Path folder) throws IOException {
    if (!Files.isWritable(folder)) {
      throw DatabaseErrors.readOnly("the data folder " + folder, null);
    }
    if (Files.exists(folder.resolve("lock"))) {
      return;
    }
    try (Stream<Path> files = Files.list(folder)) {
      if (files.findAny().isPresent()) {
        throw DatabaseErrors.foreign(folder);
      }
    }
  }

  private static void checkVersion(Path folder, Path pgdata) throws IOException {
    Path file = pgdata.resolve("PG_VERSION");
    if (Files.exists(pgdata) && !Files.exists(file)) {
      throw DatabaseErrors.foreign(folder);
    }
    String found = Files.exists(file) ? Files.readString(file).strip() : VERSION;
    if (!found.equals(VERSION)) {
      throw DatabaseErrors.version(folder, found, VERSION);
    }
  }

  private static String password(Path folder) throws IOException {
    Path file = folder.resolve("password");
    if (!Files.exists(file)) {
      byte[] bytes = new byte[24];
      new SecureRandom().nextBytes(bytes);
      Path fresh = folder.resolve("password.new");
      Files.deleteIfExists(fresh);
      Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PRIVATE_FILE));
      Files.writeString(fresh, HexFormat.of().formatHex(bytes));
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return Files.readString(file, StandardCharsets.US_ASCII).strip();
  }

  /**
   * Into a folder beside, then renamed: a kill in the middle leaves nothing that looks like a
   * database.
   */
  private static void initialise(Path folder, Path pgdata, Path binaries)
      throws IOException, InterruptedException {
    Path fresh = folder.resolve("pg.new");
    PostgresBinaries.deleteAll(fresh);
    if (ServerProcess.needsOwner()) {
      for (String name : List.of(".", "password")) {
        Files.setAttribute(folder.resolve(name), "unix:uid", ServerProcess.unprivilegedUid());
      }
    }
    ServerProcess initdb =
        ServerProcess.start(
            folder,
            List.of(
                binaries.resolve("bin/initdb").toString(),
                "--pgdata=" + fresh,
                "--username=" + USER,
                "--pwfile=" + folder.resolve("password"),
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C"));
    if (initdb.awaitExit(INIT_TIMEOUT) != 0) {
      PostgresBinaries.deleteAll(fresh);
      throw DatabaseErrors.fromLog(folder, initdb.lines());
    }
    Files.move(fresh, pgdata, StandardCopyOption.ATOMIC_MOVE);
  }

  /** How to connect; the password is in it. */
  public PostgresConfig config() {
    return config;
  }

  /** The server's present process, for tests that kill it and for health checks. */
  public ProcessHandle process() {
    return server.handle();
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (IOException e) {
      LOG.warn("the database could not be stopped: {}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      closeQuietly(lock);
    }
  }

  private static void closeQuietly(FolderLock lock) {
    try {
      if (lock != null) {
        lock.close();
      }
    } catch (IOException e) {
      LOG.debug("unlock: {}", e.getMessage());
    }
  }
}
