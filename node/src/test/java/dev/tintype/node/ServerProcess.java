package dev.tintype.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** {@code tintype serve} in a process of its own, so that it can be killed. */
final class ServerProcess implements AutoCloseable {
  private final Process process;
  private final String url;

  private ServerProcess(Process process, String url) {
    this.process = process;
    this.url = url;
  }

  /** The command line of this program with the classes under test. */
  static ProcessBuilder command(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx1g",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "--add-modules",
            "jdk.incubator.vector",
            "-Dtintype.home=" + Homes.repository(),
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            "dev.tintype.node.Main"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  /** Waits for the line that says that it is ready. */
  static ServerProcess start(Path data) throws IOException {
    return start(data, Map.of());
  }

  /**
   * @param environment beside this process's own
   */
  static ServerProcess start(Path data, Map<String, String> environment) throws IOException {
    ProcessBuilder builder =
        command("serve", "--json", "--port", "0", "--data", data.toString(), "--device", "cpu")
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().putAll(environment);
    Process process = builder.start();
    BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode node = new ObjectMapper().readTree(line);
      if (node.has("ready")) {
        return new ServerProcess(process, node.get("ready").asText());
      }
    }
    process.destroyForcibly();
    throw new IOException("the server ended before it was ready");
  }

  String url() {
    return url;
  }

  /** kill -9. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor(30, TimeUnit.SECONDS);
  }

  /** SIGTERM; the exit code. */
  int stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      return -1;
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
