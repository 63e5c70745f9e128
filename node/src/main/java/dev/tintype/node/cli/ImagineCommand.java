package dev.tintype.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.node.IoReason;
import dev.tintype.node.Logs;
import dev.tintype.node.Node;
import dev.tintype.node.NodeConfig;
import dev.tintype.node.NodeException;
import dev.tintype.node.Web;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import javax.net.ssl.SSLContext;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a picture: through a running server, or through a platform started in this process. */
@Command(
    name = "imagine",
    description = "Turns a prompt into a picture.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Parameters inside the prompt: --ar W:H  --seed N  --steps N  --cfg X  --no THINGS"
          + "  --fast  --relax",
      "If a server runs for the data folder, it is used; else the whole platform runs in this"
          + " process.",
      "Ctrl-C cancels the job.",
      "",
      "Examples:",
      "  tintype imagine \"a red sun over snowy mountains, watercolor --seed 7\" -o out.png",
      "  tintype imagine \"a lighthouse at night --ar 3:2 --no boat\" --json",
      "  tintype imagine \"the same in winter\" --init out.png --strength 0.6 -o winter.png",
      "  tintype imagine \"a cactus\" --server http://gpu.example.org:8080 --api-key KEY",
      "  tintype imagine \"a cactus\" --server https://gpu.example.org --cacert ca.pem"
    })
final class ImagineCommand implements Callable<Integer> {
  private static final int CLOSE_S_MAX = 15;

  /** Shorter waits are not worth a figure, ms. */
  private static final long TELL_WAIT_MS_MIN = 5_000;

  @Parameters(arity = "1..*", paramLabel = "PROMPT", description = "What to paint.")
  List<String> words;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      defaultValue = "out.png",
      description = "PNG to write (default ${DEFAULT-VALUE}); several pictures get -1, -2, ...")
  Path out;

  @Option(
      names = {"-n", "--images"},
      paramLabel = "N",
      description = "Pictures to make, 1 to 4; each has the next seed.")
  Integer images;

  @Option(
      names = "--init",
      paramLabel = "FILE",
      description = "PNG or JPEG to start from; it is cut to the size of the picture.")
  Path init;

  @Option(
      names = "--strength",
      paramLabel = "X",
      description = "How much of --init is made anew, above 0 to 1 (default 0.8, with --mask 1).")
  Double strength;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description = "PNG or JPEG, white where --init is made anew and black where it stays.")
  Path mask;

  @Option(names = "--json", description = "One JSON object with everything.")
  boolean json;

  @Mixin ServerOptions server;

  @Mixin NodeOptions options;

  /** Down once the platform of this process is closed: Ctrl-C waits for that. */
  private final CountDownLatch finished = new CountDownLatch(1);

  private final Terminal terminal = new Terminal(System.err, System.getenv("TINTYPE_TTY"));

  @Override
  public Integer call() {
    Logs.console(Level.SEVERE);
    checkOut();
    checkIn(init);
    checkIn(mask);
    // A person waits: who has to start something first hears it now.
    NodeConfig config = options.reader().flag("start.wait_s", 0).read();
    try {
      return imagine(config);
    } finally {
      finished.countDown();
    }
  }

  private int imagine(NodeConfig config) {
    Optional<URI> running = server.running(config);
    if (running.isPresent()) {
      return imagine(running.get(), server.key(config), server.trust(config));
    }
    terminal.status("starting");
    NodeConfig alone = ownPort(config);
    try (Node node =
        Node.open(alone, (part, found) -> terminal.status(part + ": " + found), this::lost)) {
      return imagine(
          URI.create(node.url()),
          node.apiKey().orElseGet(() -> server.key(config)),
          server.trust(config));
    }
  }

  private void lost() {
    System.err.println(
        "tintype: [device.failed] The device was lost; see the log in the data folder.");
    Runtime.getRuntime().halt(Tintype.FAILED);
  }

  /** Known before minutes are spent. */
  private void checkOut() {
    Path folder = out.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder) || !Files.isWritable(folder) || Files.isDirectory(out)) {
      throw new NodeException.Config(
          "cli.out", "The picture cannot be written to " + out + "; choose another file with -o.");
    }
  }

  private static void checkIn(Path file) {
    if (file != null && !(Files.isRegularFile(file) && Files.isReadable(file))) {
      throw new NodeException.Config(
          "cli.in", "There is no picture at " + file + " that can be read; name a PNG or JPEG.");
    }
  }

  /**
   * The usual port, so that the printed URLs work again under serve; a free one where it is taken.
   */
  private static NodeConfig ownPort(NodeConfig config) {
    return Web.portFree(config) ? config : config.withPort(0);
  }

  private int imagine(URI url, String key, Optional<SSLContext> trust) {
    long began = System.nanoTime();
    try (ApiClient client = new ApiClient(url, key, trust)) {
      JsonNode job = client.post("/v1/jobs", body(client));
      tell(job);
      String path = "/v1/jobs/" + job.path("id").asText();
      Thread cancel = new Thread(() -> cancel(client, path), "cancel");
      Runtime.getRuntime().addShutdownHook(cancel);
      Watched watched = new Watched(terminal, began);
      client.follow(path + "/events", watched::see);
      JsonNode done = client.get(path);
      Runtime.getRuntime().removeShutdownHook(cancel);
      terminal.clear();
      if (!done.path("state").asText().equals("succeeded")) {
        throw failure(done);
      }
      List<Path> files = save(client, done);
      report(done, files, watched, (System.nanoTime() - began) / 1e6);
      return 0;
    } catch (IllegalStateException e) {
      // The hook cannot be removed: Ctrl-C came in this very moment.
      return Tintype.INTERRUPTED;
    }
  }

  /** What the server said about the job, where it is more than that it has it. */
  private void tell(JsonNode job) {
    String notice = job.path("notice").path("message").asText("");
    if (!notice.isEmpty()) {
      terminal.line(notice);
    }
    long waitMs = job.path("queue").path("expected_wait_ms").asLong(0);
    terminal.status(
        waitMs < TELL_WAIT_MS_MIN
            ? "waiting for a worker"
            : "waiting for a worker, some %d s".formatted(waitMs / 1_000));
  }

  private ObjectNode body(ApiClient client) {
    ObjectNode body = ApiClient.object().put("prompt", String.join(" ", words));
    if (options.model != null) {
      body.put("model", options.model);
    }
    if (images != null) {
      body.put("images", images);
    }
    if (init != null) {
      body.put("init_image", client.upload(init));
    }
    if (strength != null) {
      body.put("strength", strength);
    }
    if (mask != null) {
      body.put("mask", client.upload(mask));
    }
    return body;
  }

  /** On Ctrl-C: the job ends within one step, and what this process started is closed. */
  private void cancel(ApiClient client, String path) {
    terminal.line("Canceling.");
    try {
      client.delete(path);
      finished.await(CLOSE_S_MAX, TimeUnit.SECONDS);
    } catch (NodeException e) {
      // The server is gone or the job has ended; there is nothing left to cancel.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static NodeException.Remote failure(JsonNode job) {
    String state = job.path("state").asText();
    JsonNode error = job.path("error");
    return new NodeException.Remote(
        error.path("code").asText("job." + state),
        error.path("message").asText("The job ended as " + state + "."));
  }

  private List<Path> save(ApiClient client, JsonNode job) {
    List<Path> files = new ArrayList<>();
    JsonNode pictures = job.path("images");
    for (int i = 0; i < pictures.size(); i++) {
      byte[] png = client.picture(pictures.get(i).path("urls").path("original").asText());
      Path file = pictures.size() == 1 ? out : numbered(out, i + 1);
      try {
        Files.write(file, png);
      } catch (IOException e) {
        throw new NodeException.Remote(
            "cli.out", "The picture cannot be written to " + file + ": " + IoReason.of(e), e);
      }
      files.add(file);
    }
    return files;
  }

  private static Path numbered(Path file, int number) {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return dot <= 0
        ? file.resolveSibling(name + "-" + number)
        : file.resolveSibling(name.substring(0, dot) + "-" + number + name.substring(dot));
  }

  private void report(JsonNode job, List<Path> files, Watched watched, double totalMs) {
    JsonNode recipe = job.path("recipe");
    ObjectNode timings = ApiClient.object();
    watched.timings().properties().forEach(stage -> timings.set(stage.getKey(), stage.getValue()));
    timings.put("total", Math.round(totalMs));
    if (json) {
      ObjectNode all = ApiClient.object().put("id", job.path("id").asText());
      ArrayNode names = all.putArray("files");
      files.forEach(file -> names.add(file.toAbsolutePath().normalize().toString()));
      all.set("recipe", recipe);
      all.set("timings_ms", timings);
      all.set("images", job.path("images"));
      System.out.println(all.toPrettyString());
      return;
    }
    for (int i = 0; i < files.size(); i++) {
      JsonNode image = job.path("images").path(i);
      System.out.printf(
          Locale.ROOT,
          "%s  %dx%d, %.0f kB, seed %d, %s%n",
          files.get(i),
          image.path("width").asInt(),
          image.path("height").asInt(),
          image.path("bytes").asLong() / 1e3,
          image.path("seed").asLong(),
          recipe.path("model").asText());
    }
    List<String> stages = new ArrayList<>();
    timings
        .properties()
        .forEach(stage -> stages.add(stage.getKey() + " " + duration(stage.getValue().asLong())));
    System.out.println("time  " + String.join(" · ", stages));
    for (JsonNode image : job.path("images")) {
      image
          .path("urls")
          .properties()
          .forEach(u -> System.out.printf("%-8s  %s%n", u.getKey(), u.getValue().asText()));
    }
  }

  private static String duration(long ms) {
    return ms < 1000 ? ms + " ms" : String.format(Locale.ROOT, "%.2f s", ms / 1e3);
  }

  /** What the event stream tells, as it comes. */
  private static final class Watched {
    private final Terminal terminal;
    private final long began;
    private JsonNode timings = ApiClient.object();

    Watched(Terminal terminal, long began) {
      this.terminal = terminal;
      this.began = began;
    }

    /** True for the last event. */
    boolean see(JsonNode event) {
      if (event.has("timings_ms")) {
        timings = event.path("timings_ms");
      }
      switch (event.path("type").asText()) {
        case "queued" -> terminal.status("queued");
        case "progress" ->
            terminal.progress(
                "painting",
                event.path("step").asInt(),
                event.path("steps").asInt(),
                (System.nanoTime() - began) / 1e9);
        case "succeeded", "failed", "canceled", "expired", "dead" -> {
          return true;
        }
        default -> {}
      }
      return false;
    }

    JsonNode timings() {
      return timings;
    }
  }
}
