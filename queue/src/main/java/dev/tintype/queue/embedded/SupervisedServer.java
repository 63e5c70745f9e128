package dev.tintype.queue.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server process that is started again when it dies (somebody killed it, or the machine ran out
 * of memory), on the same port, so that pools find it again by themselves. PostgreSQL recovers what
 * was committed.
 */
final class SupervisedServer {
  private static final Logger LOG = LoggerFactory.getLogger(SupervisedServer.class);

  /** Recovery after a crash may have much to replay. */
  private static final Duration START_TIMEOUT = Duration.ofSeconds(120);

  /**
   * A port that was free may be taken a moment later; a killed server's children may still be
   * leaving.
   */
  private static final int START_TRIES_MAX = 10;

  private static final long RETRY_MS = 200;
  private static final long RESTART_MS_MAX = 5_000;
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(10);

  private final Path folder;
  private final Path pgdata;
  private final Path binaries;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition stop = lock.newCondition();
  private int port;
  private ServerProcess process;
  private boolean stopped;

  private SupervisedServer(Path folder, Path pgdata, Path binaries) {
    this.folder = folder;
    this.pgdata = pgdata;
    this.binaries = binaries;
  }

  static SupervisedServer start(Path folder, Path pgdata, Path binaries)
      throws IOException, InterruptedException {
    SupervisedServer server = new SupervisedServer(folder, pgdata, binaries);
    server.startFirst();
    Thread.ofVirtual().name("tintype-postgres-watch").start(server::watch);
    return server;
  }

  private void startFirst() throws IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      port = freePort();
      ServerProcess candidate = launch();
      if (candidate != null) {
        process = candidate;
        return;
      }
      if (attempt == START_TRIES_MAX || !pause(RETRY_MS)) {
        throw DatabaseErrors.fromLog(folder, List.of("it was tried " + attempt + " times"));
      }
    }
  }

  /**
   * A process that accepts connections, or null where the reason of its end may pass. Any other
   * reason is thrown.
   */
  private ServerProcess launch() throws IOException, InterruptedException {
    ServerProcess candidate = ServerProcess.start(folder, command());
    if (candidate.awaitReady(START_TIMEOUT)) {
      return candidate;
    }
    candidate.awaitExit(EXIT_TIMEOUT);
    if (mayPass(candidate.lines())) {
      return null;
    }
    throw DatabaseErrors.fromLog(folder, candidate.lines());
  }

  private List<String> command() {
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

  private void watch() {
    long waitMs = RETRY_MS;
    try {
      handle().onExit().join();
      while (pause(waitMs)) {
        LOG.warn("the database server is gone; starting it again");
        waitMs = restart() ? RETRY_MS : Math.min(RESTART_MS_MAX, waitMs * 2);
      }
    } catch (InterruptedException e) {
      LOG.debug("watch ends");
    }
  }

  /** Starts the server again and waits for its end; false where it did not start. */
  private boolean restart() throws InterruptedException {
    try {
      ServerProcess fresh = launch();
      if (fresh == null) {
        return false;
      }
      if (!adopt(fresh)) {
        PostmasterFile.stop(fresh.handle());
        return true;
      }
      LOG.info("the database server is back");
      fresh.handle().onExit().join();
      return true;
    } catch (IOException | RuntimeException e) {
      LOG.error("the database server does not start: {}", e.getMessage());
      return false;
    }
  }

  /** False where {@link #stop()} came first. */
  private boolean adopt(ServerProcess fresh) {
    lock.lock();
    try {
      process = fresh;
      return !stopped;
    } finally {
      lock.unlock();
    }
  }

  /** Waits; false once stopped. */
  private boolean pause(long waitMs) throws InterruptedException {
    long leftNanos = TimeUnit.MILLISECONDS.toNanos(waitMs);
    lock.lockInterruptibly();
    try {
      while (!stopped && leftNanos > 0) {
        leftNanos = stop.awaitNanos(leftNanos);
      }
      return !stopped;
    } finally {
      lock.unlock();
    }
  }

  int port() {
    return port;
  }

  ProcessHandle handle() {
    lock.lock();
    try {
      return process.handle();
    } finally {
      lock.unlock();
    }
  }

  /** Stops it for good. */
  void stop() throws IOException, InterruptedException {
    lock.lock();
    try {
      stopped = true;
      stop.signalAll();
    } finally {
      lock.unlock();
    }
    PostmasterFile.stop(handle());
  }
}
