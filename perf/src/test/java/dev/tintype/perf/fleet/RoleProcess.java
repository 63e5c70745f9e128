package dev.tintype.perf.fleet;

import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.JavaCommand;
import dev.tintype.servers.Readiness;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/** One {@code tintype serve} of a role, with settings of its own, and what it said. */
final class RoleProcess implements AutoCloseable {
  /** An option of Java for roles whose servers are there: a busy machine may take long to look. */
  static final String PATIENT = "-Dtintype.start.look_s=60";

  private static final int HEAP_MB = 256;

  private final ChildProcess process;
  private final Path log;

  /**
   * @param folder of its data and its log
   * @param settings without a port
   * @param options of Java
   */
  RoleProcess(Path folder, String role, Map<String, String> settings, String... options)
      throws IOException {
    int port = FreePorts.one();
    Path data = Files.createTempDirectory(folder, role);
    Map<String, String> all = new TreeMap<>(settings);
    all.putIfAbsent("edge.keys", "k1:" + "0f".repeat(32));
    all.putIfAbsent("model", "tintype-mini");
    Properties properties = new Properties();
    properties.putAll(all);
    Path file = data.resolve("settings.properties");
    try (Writer writer = Files.newBufferedWriter(file)) {
      properties.store(writer, null);
    }
    List<String> java = new ArrayList<>(JavaCommand.TINTYPE);
    java.add("-Dtintype.home=" + Path.of("").toAbsolutePath().getParent());
    java.addAll(List.of(options));
    log = data.resolve("data/logs/tintype.0.log");
    process =
        new ChildProcess(
                role,
                data,
                JavaCommand.of(
                    HEAP_MB,
                    java,
                    "dev.tintype.node.Main",
                    List.of(
                        "serve",
                        "--config",
                        file.toString(),
                        "--roles",
                        role,
                        "--port",
                        Integer.toString(port),
                        "--data",
                        data.resolve("data").toString(),
                        "--device",
                        "cpu")),
                Map.of("OMP_NUM_THREADS", "1"),
                Readiness.http("http://localhost:" + port + "/healthz"),
                Duration.ofSeconds(120))
            .start();
  }

  void awaitReady() {
    process.awaitReady();
  }

  /** Waits until it has said that; fails where it ends without. */
  void awaitSaid(String part) throws IOException {
    Patience patience = new Patience();
    while (true) {
      boolean ended = !process.running();
      if (said().contains(part)) {
        return;
      }
      if (ended) {
        throw new AssertionError("ended without a word of " + part + ":\n" + said());
      }
      patience.rest(() -> "no word of " + part + ":\n" + output());
    }
  }

  /** Its exit code when it ends by itself; fails where it becomes ready instead. */
  int awaitEnd() throws IOException {
    Patience patience = new Patience();
    while (process.running()) {
      if (process.ready()) {
        throw new AssertionError("ready instead of an end:\n" + said() + logged());
      }
      patience.rest(() -> "no end:\n" + output());
    }
    return process.exitCode().orElseThrow();
  }

  private String output() {
    try {
      return said();
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** SIGTERM; the exit code. */
  int stop() {
    process.stop();
    return process.exitCode().orElseThrow();
  }

  /** All that it wrote. */
  String said() throws IOException {
    return Files.readString(process.log());
  }

  /** Its log file, which has more than the console. */
  String logged() throws IOException {
    return Files.readString(log);
  }

  @Override
  public void close() {
    process.kill();
  }
}
