package dev.tintype.perf.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tintype.node.NodeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One {@code tintype serve} process on a folder of its own, started again as often as it dies. */
final class Member implements AutoCloseable {
  /** What the launcher passes, with less memory: several of us share a small machine. */
  private static final List<String> JAVA =
      List.of(
          "-Xmx512m",
          "-XX:+UseSerialGC",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "--add-modules",
          "jdk.incubator.vector");

  private static final int STOP_S_MAX = 30;

  private final String name;
  private final Path data;
  private final List<String> arguments;
  private Process process;

  /**
   * @param arguments of {@code tintype serve}, beyond those about data folder, port and output
   */
  Member(String name, Path data, List<String> arguments) {
    this.name = name;
    this.data = data;
    this.arguments = List.copyOf(arguments);
  }

  String name() {
    return name;
  }

  /**
   * Starts the process and waits until it is ready; the port that it listens on.
   *
   * @throws NodeException chaos.start with its last words
   */
  synchronized int start() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JAVA);
    command.addAll(
        List.of(
            "-Dtintype.home=" + System.getProperty("tintype.home", "."),
            "-cp",
            System.getProperty("tintype.chaos.classpath", System.getProperty("java.class.path")),
            "dev.tintype.node.Main",
            "serve",
            "--json",
            "--port",
            "0",
            "--data",
            data.toString()));
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.appendTo(errors().toFile()));
    builder.environment().put("MALLOC_ARENA_MAX", "2");
    builder.environment().keySet().removeIf(key -> key.startsWith("TINTYPE_"));
    try {
      Files.createDirectories(data);
      process = builder.start();
      return ready(process);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path errors() {
    return data.resolveSibling(name + ".stderr");
  }

  private int ready(Process started) throws IOException {
    BufferedReader lines = started.inputReader();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode said =
          line.startsWith("{") ? new ObjectMapper().readTree(line) : new ObjectMapper().nullNode();
      if (said.hasNonNull("ready")) {
        String url = said.get("ready").asText();
        return Integer.parseInt(url.substring(url.lastIndexOf(':') + 1));
      }
    }
    throw new NodeException.Start(
        "chaos.start", name + " did not start: " + Files.readString(errors()).strip());
  }

  /** kill -9, and waits until the process is gone. */
  synchronized void kill() {
    awaitEnd(process.destroyForcibly());
  }

  private static void awaitEnd(Process ending) {
    try {
      if (!ending.waitFor(STOP_S_MAX, TimeUnit.SECONDS)) {
        throw new IllegalStateException("process " + ending.pid() + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** True unless it was killed, or ended by itself (as a worker does whose device is lost). */
  synchronized boolean alive() {
    return process != null && process.isAlive();
  }

  /** SIGSTOP: the process stands still and is told nothing. */
  void pause() {
    Signals.send("STOP", process.pid());
  }

  /** SIGCONT. */
  void resume() {
    Signals.send("CONT", process.pid());
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
  public synchronized void close() {
    if (process == null || !process.isAlive()) {
      database().ifPresent(ProcessHandle::destroy);
      return;
    }
    process.destroy();
    try {
      if (!process.waitFor(STOP_S_MAX, TimeUnit.SECONDS)) {
        Optional<ProcessHandle> database = database();
        process.destroyForcibly();
        database.ifPresent(ProcessHandle::destroy);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
