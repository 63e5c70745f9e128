package dev.tintype.queue.embedded;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of initdb or postgres: its process, its last lines, and the moment when it says that it
 * is ready.
 */
final class ServerProcess {
  private static final Logger LOG = LoggerFactory.getLogger(ServerProcess.class);
  private static final String READY = "database system is ready to accept connections";
  private static final int LINES_MAX = 50;

  private static final String REINITIALIZING = "reinitializing";

  /**
   * Where its recovery from a crash fails too, as on a full disk, PostgreSQL 18.6 neither ends nor
   * tries again: it waits for processes of its own that it has told nothing. After this long it is
   * ended, so that a fresh start may do better.
   */
  private static final Duration HANGS_AFTER = Duration.ofSeconds(5);

  private static final Path SETSID = Path.of("/usr/bin/setsid");
  private static final Path UNSHARE = Path.of("/usr/bin/unshare");
  private static final Path SETPRIV = Path.of("/usr/bin/setpriv");

  /** {@code nobody} on Linux. */
  private static final String UNPRIVILEGED = "65534";

  private final Process process;
  private final Deque<String> lines = new ArrayDeque<>();
  private final CompletableFuture<Boolean> ready = new CompletableFuture<>();
  private final Thread reader;

  /** From a crash of one of its processes until it is ready again. */
  private volatile boolean recovering;

  private ServerProcess(Process process) {
    this.process = process;
    this.reader = Thread.ofVirtual().name("tintype-postgres-log").unstarted(this::read);
  }

  /**
   * Starts the command. As root it runs in a user namespace of its own, where root's files belong
   * to an ordinary user: PostgreSQL refuses root, and no file has to change its owner.
   */
  static ServerProcess start(Path folder, List<String> command) throws IOException {
    List<String> whole = new ArrayList<>();
    // A session of its own: Ctrl-C in the terminal is for us, and we stop the server when our own
    // work is put away.
    if (Files.isExecutable(SETSID)) {
      whole.add(SETSID.toString());
    }
    if (isRoot()) {
      whole.addAll(withoutRoot());
    }
    whole.addAll(command);
    ProcessBuilder builder =
        new ProcessBuilder(whole).redirectErrorStream(true).directory(folder.toFile());
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.startsWith("PG") || name.startsWith("LC_"));
    builder.environment().put("LANG", "C");
    ServerProcess server = new ServerProcess(builder.start());
    server.process.getOutputStream().close();
    server.reader.start();
    return server;
  }

  static boolean isRoot() {
    try {
      return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    } catch (IOException | UnsupportedOperationException e) {
      return "root".equals(System.getProperty("user.name"));
    }
  }

  /** True where the server has to run as {@link #UNPRIVILEGED}, which must then own the folder. */
  static boolean needsOwner() {
    return isRoot() && withoutRoot().getFirst().equals(SETPRIV.toString());
  }

  static int unprivilegedUid() {
    return Integer.parseInt(UNPRIVILEGED);
  }

  private static List<String> withoutRoot() {
    if (canUnshare()) {
      return List.of(UNSHARE.toString(), "-U");
    }
    if (Files.isExecutable(SETPRIV)) {
      return List.of(
          SETPRIV.toString(),
          "--reuid=" + UNPRIVILEGED,
          "--regid=" + UNPRIVILEGED,
          "--clear-groups");
    }
    throw DatabaseErrors.root();
  }

  private static boolean canUnshare() {
    try {
      return Files.isExecutable(UNSHARE)
          && new ProcessBuilder(UNSHARE.toString(), "-U", "true")
                  .redirectErrorStream(true)
                  .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                  .start()
                  .waitFor()
              == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void read() {
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        keep(line);
      }
    } catch (IOException e) {
      LOG.debug("the server's log ends: {}", e.getMessage());
    }
    ready.complete(false);
  }

  private void keep(String line) {
    synchronized (lines) {
      if (lines.size() == LINES_MAX) {
        lines.removeFirst();
      }
      lines.addLast(line);
    }
    if (line.contains(READY)) {
      ready.complete(true);
    }
    if (line.contains("PANIC:")
        || line.contains("FATAL:") && !line.contains("FATAL:  the database system is")) {
      LOG.warn("postgres: {}", line);
    } else {
      LOG.debug("postgres: {}", line);
    }
    watchRecovery(line);
  }

  private void watchRecovery(String line) {
    if (line.contains(READY)) {
      recovering = false;
    } else if (line.contains(REINITIALIZING)) {
      recovering = true;
    } else if (recovering && line.contains("PANIC:")) {
      Thread.ofVirtual().name("tintype-postgres-hangs").start(this::endIfItHangs);
    }
  }

  /** Its children end when they see that it is gone. */
  private void endIfItHangs() {
    try {
      if (!process.waitFor(HANGS_AFTER) && recovering) {
        LOG.warn("the database server hangs, since its recovery failed; it is ended");
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for readiness; false where the process ended first, or took too long. */
  boolean awaitReady(Duration timeout) throws InterruptedException {
    try {
      return ready.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      return false;
    }
  }

  /** The exit status, or -1 where it took too long and was killed. */
  int awaitExit(Duration timeout) throws InterruptedException {
    if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      process.destroyForcibly();
      return -1;
    }
    reader.join(timeout);
    return process.exitValue();
  }

  List<String> lines() {
    synchronized (lines) {
      return List.copyOf(lines);
    }
  }

  ProcessHandle handle() {
    return process.toHandle();
  }
}
