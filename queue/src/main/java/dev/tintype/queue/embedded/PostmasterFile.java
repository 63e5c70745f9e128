package dev.tintype.queue.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code postmaster.pid}, which a server leaves behind when it or its machine is killed. Its first
 * line is the pid. We hold the folder's own lock when we look at it, so a server that still runs is
 * an orphan: its Tintype was killed.
 */
final class PostmasterFile {
  private static final Logger LOG = LoggerFactory.getLogger(PostmasterFile.class);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

  /** LOCK_FILE_LINE_PORT and LOCK_FILE_LINE_PM_STATUS of PostgreSQL, counted from 0. */
  private static final int PORT_LINE = 3;

  private static final int STATUS_LINE = 7;

  private final Path pgdata;
  private final Path file;

  PostmasterFile(Path pgdata) {
    this.pgdata = pgdata;
    this.file = pgdata.resolve("postmaster.pid");
  }

  /** Stops an orphan, and removes the file where its pid now belongs to a stranger. */
  void clear() throws IOException, InterruptedException {
    Optional<ProcessHandle> owner = owner();
    if (owner.isEmpty()) {
      // No such process: the server itself tells a stale file from a live one, shared memory
      // included.
      return;
    }
    if (isOurs(owner.get())) {
      LOG.info(
          "a database server was left behind by a former run (pid {}); stopping it",
          owner.get().pid());
      if (!stop(owner.get())) {
        throw DatabaseErrors.inUse(pgdata);
      }
    } else {
      LOG.info("removing a stale postmaster.pid, whose pid now belongs to another program");
      Files.deleteIfExists(file);
    }
  }

  /** Where a server that runs and is ready listens. */
  OptionalInt port() throws IOException {
    Optional<ProcessHandle> owner = owner();
    if (owner.isEmpty() || !isOurs(owner.get())) {
      return OptionalInt.empty();
    }
    List<String> lines = Files.readAllLines(file);
    try {
      return lines.size() > STATUS_LINE && lines.get(STATUS_LINE).strip().equals("ready")
          ? OptionalInt.of(Integer.parseInt(lines.get(PORT_LINE).strip()))
          : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }

  private Optional<ProcessHandle> owner() throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    List<String> lines = Files.readAllLines(file);
    try {
      return lines.isEmpty()
          ? Optional.empty()
          : ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
              .filter(ProcessHandle::isAlive);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private boolean isOurs(ProcessHandle process) throws IOException {
    Path commandLine = Path.of("/proc", Long.toString(process.pid()), "cmdline");
    if (!Files.isReadable(commandLine)) {
      return false;
    }
    String[] words = Files.readString(commandLine).split("\0");
    return words.length > 2
        && words[0].endsWith("/postgres")
        && List.of(words).contains(pgdata.toString());
  }

  /**
   * A fast shutdown: clients are sent away, everything is written. After the timeout it is killed;
   * the next start recovers.
   */
  static boolean stop(ProcessHandle server) throws IOException, InterruptedException {
    signal(server, "INT");
    if (await(server)) {
      return true;
    }
    LOG.warn(
        "the database did not stop within {}; killing it, the next start recovers", STOP_TIMEOUT);
    server.destroyForcibly();
    return await(server);
  }

  /** Java knows only TERM, which waits for all clients, and KILL. */
  private static void signal(ProcessHandle server, String name)
      throws IOException, InterruptedException {
    new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + server.pid())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  private static boolean await(ProcessHandle server) throws InterruptedException {
    try {
      server.onExit().get(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException | ExecutionException e) {
      return !server.isAlive();
    }
  }
}
