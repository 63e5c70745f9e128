package dev.tintype.perf.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tintype.edge.url.SigningKeys;
import dev.tintype.edge.url.VariantUrls;
import dev.tintype.node.NodeException;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.servers.JavaCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code tintype serve --roles edge} as a process of its own, as an operator runs it; nothing of it
 * is set up for the measurement.
 */
final class EdgeProcess implements AutoCloseable {
  private static final int START_S_MAX = 60;
  private static final String KEY = "bench:000102030405060708090a0b0c0d0e0f";

  private final Process process;
  private final String origin;

  private EdgeProcess(Process process, String origin) {
    this.process = process;
    this.origin = origin;
  }

  /** Where {@link #start} will look for originals. */
  static DirectoryBlobStore originals(Path folder) {
    return new DirectoryBlobStore(folder.resolve("blobs"));
  }

  /** Signs URLs as the process verifies them. */
  static VariantUrls urls() {
    return new VariantUrls(SigningKeys.parse(KEY));
  }

  /** Starts on a free port; the folder holds originals, caches and logs. */
  static EdgeProcess start(Path folder) throws IOException {
    Path settings = folder.resolve("edge.properties");
    Files.writeString(settings, "edge.keys = " + KEY + "\n");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // The launcher's own options for serve.
    command.addAll(List.of("-XX:+UseG1GC", "-XX:+UseCompactObjectHeaders"));
    command.addAll(JavaCommand.TINTYPE);
    // For profilers: -XX:StartFlightRecording and the like.
    String more = System.getenv("TINTYPE_EDGE_JAVA_OPTS");
    if (more != null) {
      command.addAll(List.of(more.split(" ")));
    }
    command.addAll(
        List.of(
            "-Dtintype.home=" + System.getProperty("tintype.home", "."),
            "-cp",
            System.getProperty("java.class.path"),
            "dev.tintype.node.Main",
            "serve",
            "--json",
            "--roles",
            "edge",
            "--port",
            "0",
            "--data",
            folder.toString(),
            "--config",
            settings.toString()));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(folder.resolve("edge.stderr").toFile());
    builder.environment().put("MALLOC_ARENA_MAX", "2");
    Process process = builder.start();
    try {
      return new EdgeProcess(process, ready(process, folder));
    } catch (IOException | RuntimeException e) {
      Programs.stop(process);
      throw e;
    }
  }

  private static String ready(Process process, Path folder) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    BufferedReader lines = process.inputReader();
    try (Programs.Watch _ = Programs.watch(process, START_S_MAX)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        // The Java runtime may say something too, about options given by TINTYPE_EDGE_JAVA_OPTS.
        JsonNode said = line.startsWith("{") ? mapper.readTree(line) : mapper.missingNode();
        if (said.hasNonNull("ready")) {
          return said.get("ready").asText();
        }
      }
    }
    throw new NodeException.Start(
        "bench.program",
        "The edge did not start in "
            + START_S_MAX
            + " s: "
            + Files.readString(folder.resolve("edge.stderr")).strip());
  }

  /** Where it answers, without a slash at the end. */
  String origin() {
    // An address rather than a name, so that no client tries IPv6 first.
    return origin.replace("localhost", "127.0.0.1");
  }

  ProcessHandle handle() {
    return process.toHandle();
  }

  @Override
  public void close() {
    Programs.stop(process);
  }
}
