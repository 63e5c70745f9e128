package dev.tintype.perf.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.node.NodeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;

/**
 * sharp in a node process of its own: a line in, one conversion in memory, its time out; and behind
 * node's HTTP server.
 */
final class Sharp implements AutoCloseable {
  private static final int ANSWER_S_MAX = 60;

  private final Process process;
  private final BufferedReader answers;
  private final Writer questions;
  private final ObjectMapper mapper = new ObjectMapper();
  private final String versions;
  private final int port;

  /**
   * One conversion.
   *
   * @param ns from the call to its bytes, the file being in memory before
   * @param bytes size of what came out
   */
  record Made(long ns, int bytes) {}

  private Sharp(Process process) throws IOException {
    this.process = process;
    answers = process.inputReader();
    questions = process.outputWriter();
    String ready = line("sharp did not start in time; node perf/edge/sharp.mjs FILE says why.");
    JsonNode said = mapper.readTree(ready);
    versions = said.get("versions").asText();
    port = said.get("port").asInt();
  }

  /**
   * Starts.
   *
   * @param folder perf/edge, with its node_modules
   * @param png the picture of all conversions in memory
   * @param blobs the originals of those over HTTP: the edge's own
   */
  static Sharp start(Path folder, Path png, int avifEffort, Path blobs) throws IOException {
    Process process =
        new ProcessBuilder(
                List.of(
                    Programs.find("node").orElseThrow().toString(),
                    folder.resolve("sharp.mjs").toString(),
                    png.toString(),
                    Integer.toString(avifEffort),
                    blobs.toString()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      return new Sharp(process);
    } catch (IOException | RuntimeException e) {
      Programs.stop(process);
      throw e;
    }
  }

  /** Its own version and its libvips'. */
  String versions() {
    return versions;
  }

  /** Where a conversion of an original is to be had over HTTP. */
  String url(ImageFormat format, int width, int quality, String sha256) {
    return "http://127.0.0.1:%d/%s/%d/%d/%s"
        .formatted(port, format.extension(), width, quality, sha256);
  }

  /**
   * Converts in memory.
   *
   * @param width of the variant, px
   */
  Made make(ImageFormat format, int width, int quality) throws IOException {
    questions.write(format.extension() + " " + width + " " + quality + "\n");
    questions.flush();
    JsonNode answer = mapper.readTree(line("sharp did not answer in time, or ended."));
    return new Made(answer.get("ns").asLong(), answer.get("bytes").asInt());
  }

  /** The next line; without one in time the process is ended. */
  private String line(String otherwise) throws IOException {
    try (Programs.Watch _ = Programs.watch(process, ANSWER_S_MAX)) {
      String line = answers.readLine();
      if (line == null) {
        throw new NodeException.Start("bench.program", otherwise);
      }
      return line;
    }
  }

  @Override
  public void close() {
    Programs.stop(process);
  }
}
