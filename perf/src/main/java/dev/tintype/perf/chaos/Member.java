package dev.tintype.perf.chaos;

import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.JavaCommand;
import dev.tintype.servers.Readiness;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** One {@code tintype serve} process on a folder of its own, started again as often as it dies. */
final class Member implements AutoCloseable {
  private static final int HEAP_MB = 512;
  private static final Duration START_MAX = Duration.ofSeconds(180);

  private final Path data;
  private final int port = FreePorts.one();
  private final ChildProcess process;

  /**
   * @param arguments of {@code tintype serve}, beyond those about data folder, port and output
   */
  Member(String name, Path data, List<String> arguments) {
    this.data = data;
    List<String> serve =
        new ArrayList<>(
            List.of(
                "serve", "--json", "--port", Integer.toString(port), "--data", data.toString()));
    serve.addAll(arguments);
    List<String> java = new ArrayList<>(JavaCommand.TINTYPE);
    java.add("-Dtintype.home=" + System.getProperty("tintype.home", "."));
    process =
        new ChildProcess(
            name,
            data.resolveSibling("logs"),
            JavaCommand.of(HEAP_MB, java, "dev.tintype.node.Main", serve),
            Map.of("MALLOC_ARENA_MAX", "2"),
            Readiness.http("http://127.0.0.1:" + port + "/healthz"),
            START_MAX);
  }

  String name() {
    return process.name();
  }

  /** Starts the process and waits until it is ready; the port that it listens on. */
  int start() {
    process.start().awaitReady();
    return port;
  }

  /** kill -9, and waits until the process is gone. A PostgreSQL of its own lives on. */
  void kill() {
    process.killAlone();
  }

  /** True unless it was killed, or ended by itself (as a worker does whose device is lost). */
  boolean alive() {
    return process.running();
  }

  /** SIGSTOP: the process stands still and is told nothing. */
  void pause() {
    process.pid().ifPresent(pid -> Signals.send("STOP", pid));
  }

  /** SIGCONT. */
  void resume() {
    process.pid().ifPresent(pid -> Signals.send("CONT", pid));
  }

  Path data() {
    return data;
  }

  /** The PostgreSQL of this process, if it runs one. */
  Optional<ProcessHandle> database() {
    Path file = data.resolve("queue/pg/postmaster.pid");
    try (Stream<String> lines = Files.lines(file)) {
      // The file may be of a server that is gone, and its number another program's by now.
      return lines
          .findFirst()
          .map(String::strip)
          .map(Long::parseLong)
          .flatMap(ProcessHandle::of)
          .filter(handle -> handle.info().command().orElse("").endsWith("/postgres"));
    } catch (IOException | UncheckedIOException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** SIGTERM, and SIGKILL for what does not end in time. */
  @Override
  public void close() {
    process.stop();
    database().ifPresent(ProcessHandle::destroy);
  }
}
