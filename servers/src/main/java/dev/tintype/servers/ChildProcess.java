package dev.tintype.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A named program that can be started, killed and started again. Its output goes to {@code
 * folder/NAME.log}; its id to {@code folder/NAME.pid}, so that what outlived a killed parent is
 * ended by the next start. Thread-safe.
 */
public final class ChildProcess implements AutoCloseable {
  private static final Duration STOP_MAX = Duration.ofSeconds(30);
  private static final long LOOK_NANOS = Duration.ofMillis(50).toNanos();

  private final String name;
  private final Path folder;
  private final List<String> command;
  private final Map<String, String> environment;
  private final Readiness readiness;
  private final Duration startMax;
  private Process process;

  /**
   * @param name unique in the folder, such as {@code worker-1}
   * @param folder of log and id, made where missing
   * @param environment added to this process's own, of which settings of Tintype are left out
   * @param startMax from start to ready
   */
  public ChildProcess(
      String name,
      Path folder,
      List<String> command,
      Map<String, String> environment,
      Readiness readiness,
      Duration startMax) {
    this.name = name;
    this.folder = folder;
    this.command = List.copyOf(command);
    this.environment = Map.copyOf(environment);
    this.readiness = readiness;
    this.startMax = startMax;
  }

  public String name() {
    return name;
  }

  public Path log() {
    return folder.resolve(name + ".log");
  }

  /** Starts it if it does not run. Does not wait: see {@link #awaitReady}. */
  public synchronized ChildProcess start() {
    if (running()) {
      return this;
    }
    try {
      Files.createDirectories(folder);
      endLeftover();
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
      builder.environment().keySet().removeIf(key -> key.startsWith("TINTYPE_"));
      builder.environment().putAll(environment);
      process = builder.start();
      Files.writeString(pidFile(), process.pid() + " " + startedAt(process.toHandle()));
      return this;
    } catch (IOException e) {
      throw new ServerException(name + " cannot be started: " + e.getMessage(), e);
    }
  }

  /** Waits until it answers. */
  public ChildProcess awaitReady() {
    long deadline = System.nanoTime() + startMax.toNanos();
    while (!ready()) {
      if (!running()) {
        throw new ServerException(name + " ended before it was ready; see " + log(), null);
      }
      if (System.nanoTime() > deadline) {
        throw new ServerException(
            name + " was not ready in " + startMax.toSeconds() + " s; see " + log(), null);
      }
      if (Thread.currentThread().isInterrupted()) {
        throw new ServerException("Interrupted while " + name + " started", null);
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    return this;
  }

  /** Whether it answers now. */
  public boolean ready() {
    try {
      return running() && readiness.answers();
    } catch (IOException e) {
      return false;
    }
  }

  public synchronized boolean running() {
    return process != null && process.isAlive();
  }

  /** Empty where it does not run. */
  public synchronized Optional<Long> pid() {
    return running() ? Optional.of(process.pid()) : Optional.empty();
  }

  /** The exit code of the last run; empty while it runs or before the first. */
  public synchronized Optional<Integer> exitCode() {
    return process == null || process.isAlive()
        ? Optional.empty()
        : Optional.of(process.exitValue());
  }

  /** kill -9 to it and what it runs, and waits for the end. */
  public void kill() {
    end(true, true);
  }

  /** kill -9 to it alone: what it runs, such as its PostgreSQL, lives on. */
  public void killAlone() {
    end(true, false);
  }

  /** SIGTERM, and kill -9 if it has not ended in half a minute. */
  public void stop() {
    end(false, true);
  }

  private void end(boolean hard, boolean whole) {
    Process ending;
    synchronized (this) {
      ending = process;
    }
    if (ending == null) {
      return;
    }
    // A program that runs others (a launcher, PostgreSQL) leaves none of them behind.
    List<ProcessHandle> below = whole ? ending.descendants().toList() : List.of();
    if (hard) {
      below.forEach(ProcessHandle::destroyForcibly);
      ending.destroyForcibly();
    } else {
      ending.destroy();
    }
    try {
      if (!ending.waitFor(STOP_MAX.toSeconds(), TimeUnit.SECONDS)) {
        ending.destroyForcibly();
        ending.waitFor(STOP_MAX.toSeconds(), TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      ending.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    below.forEach(ProcessHandle::destroyForcibly);
    try {
      Files.deleteIfExists(pidFile());
    } catch (IOException e) {
      // The next start finds that its process is gone.
    }
  }

  private Path pidFile() {
    return folder.resolve(name + ".pid");
  }

  /** Ends what an earlier parent left; the start time tells it from a stranger with its number. */
  private void endLeftover() throws IOException {
    if (!Files.exists(pidFile())) {
      return;
    }
    String[] parts = Files.readString(pidFile()).strip().split(" ");
    if (parts.length == 2 && parts[0].matches("[0-9]{1,10}")) {
      Optional<ProcessHandle> leftover =
          ProcessHandle.of(Long.parseLong(parts[0]))
              .filter(found -> startedAt(found).equals(parts[1]));
      leftover.ifPresent(
          found -> {
            found.descendants().forEach(ProcessHandle::destroyForcibly);
            found.destroyForcibly();
            found.onExit().orTimeout(STOP_MAX.toSeconds(), TimeUnit.SECONDS).join();
          });
    }
    Files.deleteIfExists(pidFile());
  }

  private static String startedAt(ProcessHandle handle) {
    return handle.info().startInstant().map(Instant::toString).orElse("-");
  }

  @Override
  public void close() {
    stop();
  }
}
