package dev.tintype.queue.embedded;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.PostgresConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
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

  /** Recovery after a crash may have much to replay. */
  private static final Duration START_TIMEOUT = Duration.ofSeconds(120);

  /**
   * A port that was free may be taken a moment later; a killed server's children may still be
   * leaving.
   */
  private static final int START_TRIES_MAX = 10;

  private static final long FREE_BYTES_MIN = 128L << 20;

  private static final Set<PosixFilePermission> PRIVATE_FILE =
      PosixFilePermissions.fromString("rw-------");

  private final FolderLock lock;
  private final ServerProcess server;
  private final PostgresConfig config;

  private EmbeddedPostgres(FolderLock lock, ServerProcess server, PostgresConfig config) {
    this.lock = lock;
    this.server = server;
    this.config = config;
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
          startLocked(home, PostgresBinaries.unpack(cache.toAbsolutePath()), lock);
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
    for (int attempt = 1; ; attempt++) {
      int port = freePort();
      ServerProcess server = ServerProcess.start(folder, command(binaries, pgdata, port));
      if (server.awaitReady(START_TIMEOUT)) {
        LOG.info("PostgreSQL {} runs on 127.0.0.1:{} with its data in {}", VERSION, port, folder);
        String url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
        return new EmbeddedPostgres(lock, server, PostgresConfig.of(url, USER, password));
      }
      server.awaitExit(Duration.ofSeconds(10));
      if (attempt == START_TRIES_MAX || !mayPass(server.lines())) {
        throw DatabaseErrors.fromLog(folder, server.lines());
      }
      Thread.sleep(Duration.ofMillis(200));
    }
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

  private static List<String> command(Path binaries, Path pgdata, int port) {
    Stream<String> head =
        Stream.of(binaries.resolve("bin/postgres").toString(), "-D", pgdata.toString());
    Stream<String> settings =
        Stream.of(
                "listen_addresses=127.0.0.1",
                "port=" + port,
                "unix_socket_directories=",
                "fsync=on",
                "synchronous_commit=on",
                "full_page_writes=on",
                "max_connections=100",
                "shared_buffers=128MB",
                "max_wal_size=1GB",
                "log_min_messages=warning",
                "log_destination=stderr",
                "logging_collector=off",
                "timezone=UTC")
            .flatMap(setting -> Stream.of("-c", setting));
    return Stream.concat(head, settings).toList();
  }

  /** Reasons that go away by themselves. */
  private static boolean mayPass(List<String> lines) {
    String text = String.join("\n", lines);
    return text.contains("Address already in use")
        || text.contains("could not create any TCP/IP sockets")
        || text.contains("pre-existing shared memory block");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** How to connect; the password is in it. */
  public PostgresConfig config() {
    return config;
  }

  /** The server's process, for tests that kill it and for health checks. */
  public ProcessHandle process() {
    return server.handle();
  }

  @Override
  public void close() {
    try {
      PostmasterFile.stop(server.handle());
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
