package dev.tintype.perf.edge;

import dev.tintype.node.NodeException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The programs of others that the edge is held against. */
final class Programs {
  private static final int QUICK_S_MAX = 20;

  private Programs() {}

  /** A program on the PATH or in the folders of administrators, where nginx lies. */
  static Optional<Path> find(String name) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.concat(Stream.of(path.split(File.pathSeparator)), Stream.of("/usr/sbin", "/sbin"))
        .filter(folder -> !folder.isBlank())
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Refuses to start when something is missing.
   *
   * @throws NodeException.Start bench.missing, which says what and how to get it
   */
  static void require(Path sharpFolder) {
    List<String> missing = new ArrayList<>();
    for (String name : List.of("nginx", "wrk", "node")) {
      if (find(name).isEmpty()) {
        missing.add(name);
      }
    }
    if (!Files.isDirectory(sharpFolder.resolve("node_modules/sharp"))) {
      missing.add("sharp in " + sharpFolder);
    }
    if (!missing.isEmpty()) {
      throw new NodeException.Start(
          "bench.missing",
          "The peers of this measurement are not here: "
              + String.join(", ", missing)
              + ". perf/edge/run installs them (apt-get, npm) and starts the measurement.");
    }
  }

  /**
   * What a program that ends by itself prints, both streams together.
   *
   * @throws NodeException.Start bench.program when it does not end in time
   */
  static String output(List<String> command) {
    try {
      // To a file: who reads a pipe to its end waits without a deadline.
      Path said = Files.createTempFile("tintype-bench", ".txt");
      try {
        Process process =
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        process.getOutputStream().close();
        boolean ended = process.waitFor(QUICK_S_MAX, TimeUnit.SECONDS);
        process.destroyForcibly();
        if (!ended) {
          throw new NodeException.Start(
              "bench.program", command.getFirst() + " did not end in " + QUICK_S_MAX + " s.");
        }
        return Files.readString(said, StandardCharsets.UTF_8);
      } finally {
        Files.delete(said);
      }
    } catch (IOException e) {
      throw new NodeException.Start(
          "bench.program", command.getFirst() + " does not start: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeException.Start("node.interrupted", "Interrupted.", e);
    }
  }

  /** Stands by while a process is listened to. */
  interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Kills a process that is not let go in time, which ends its output for who reads it.
   *
   * @param seconds to {@link Watch#close}
   */
  static Watch watch(Process process, int seconds) {
    CompletableFuture<Void> kill =
        CompletableFuture.runAsync(
            process::destroyForcibly, CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS));
    return () -> kill.cancel(false);
  }

  /** Ends a process and those it started; kills what does not end in time. */
  static void stop(Process process) {
    List<ProcessHandle> family =
        Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
    process.destroy();
    try {
      if (!process.waitFor(QUICK_S_MAX, TimeUnit.SECONDS)) {
        family.forEach(ProcessHandle::destroyForcibly);
      }
    } catch (InterruptedException e) {
      family.forEach(ProcessHandle::destroyForcibly);
      Thread.currentThread().interrupt();
    }
  }

  /** Processor time of a process and those it started, ns; in steps of 10 ms. */
  static long cpuNs(ProcessHandle process) {
    return Stream.concat(Stream.of(process), process.descendants())
        .flatMap(each -> each.info().totalCpuDuration().stream())
        .mapToLong(java.time.Duration::toNanos)
        .sum();
  }
}
