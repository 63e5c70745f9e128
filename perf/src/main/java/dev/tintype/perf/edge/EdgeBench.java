package dev.tintype.perf.edge;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.node.Logs;
import dev.tintype.queue.blob.BlobStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The edge beside nginx and sharp. */
@Command(
    name = "edge",
    description = "The edge beside nginx (cached variants) and sharp (encodes), in one run.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "nginx, wrk, node and sharp must be here; perf/edge/run installs them and passes its",
      "arguments on. Bars: hit 0.5 x nginx, miss over HTTP 1.0 x sharp, one encode for",
      "1,000 clients. Exit code 1 below a bar.",
      "",
      "Examples:",
      "  perf/edge/run",
      "  tintype bench edge --seconds 120 --json",
      "  tintype bench edge --soak 100000    # memory over many conversions; needs none of those"
    })
public final class EdgeBench implements Callable<Integer> {
  private static final double HIT_BAR = 0.5;
  private static final double MISS_BAR = 1.0;
  private static final int CLIENTS = 1_000;
  private static final int ORIGINAL_PX = 1024;
  private static final int WARM_UPS = 6;
  private static final int SMALL_PX = 64;

  /** Conversions of the small original by each server: what the JIT compiler wants to see first. */
  private static final int SMALL_COUNT = 4_000;

  private static final int HIT_ROUND_S = 3;
  private static final int VARIANTS = 3;

  /** A day: ten million small conversions on two cores take some hours. */
  private static final int SOAK_S_MAX = 86_400;

  /** What one round of misses takes at most: three formats, four ways. */
  private static final double MISS_ROUND_S = 0.5;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "90",
      description = "Time to measure in, 10 to 3600 (default ${DEFAULT-VALUE}).")
  int seconds;

  @Option(
      names = "--soak",
      paramLabel = "N",
      description = "Only converts N times, 1000 to 10000000, and tells whether memory stays flat.")
  Integer soak;

  @Option(names = "--json", description = "Only the JSON; it is the last line in any case.")
  boolean json;

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description = "Writes the JSON to a file too, indented.")
  Path save;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Logs.console(Level.WARNING);
    if (seconds < 10 || seconds > 3600) {
      throw new dev.tintype.node.NodeException.Config(
          "bench.seconds", "--seconds is 10 to 3600; found " + seconds + ".");
    }
    if (soak != null) {
      return soak(soak);
    }
    Path peers = Path.of(System.getProperty("tintype.home", "."), "perf", "edge");
    Programs.require(peers);
    Path folder = Files.createTempDirectory("tintype-bench-edge");
    try {
      return measure(folder, peers);
    } finally {
      delete(folder);
    }
  }

  private int soak(int conversions) throws IOException {
    if (conversions < 1_000 || conversions > 10_000_000) {
      throw new dev.tintype.node.NodeException.Config(
          "bench.soak", "--soak is 1000 to 10000000; found " + conversions + ".");
    }
    tell(conversions + " conversions, every format to every other");
    Soak done = Soak.run(conversions, SOAK_S_MAX);
    ObjectNode result =
        new ObjectMapper()
            .createObjectNode()
            .put("bench", "edge-soak")
            .put("date", LocalDate.now().toString())
            .put("cores", Runtime.getRuntime().availableProcessors())
            .put("conversions", done.conversions())
            .put("seconds", Math.round(done.seconds()))
            .put("warm_mib", done.warmMib())
            .put("end_mib", done.endMib())
            .put("peak_mib", done.peakMib())
            .put("flat", done.flat());
    if (!json) {
      System.out.printf(
          "resident: %d MiB warm, %d MiB after %,d conversions (peak %d), %.0f s%n",
          done.warmMib(), done.endMib(), done.conversions(), done.peakMib(), done.seconds());
    }
    if (save != null) {
      Files.writeString(save, result.toPrettyString() + "\n");
    }
    System.out.println(result);
    return done.flat() ? 0 : 1;
  }

  private int measure(Path folder, Path peers) throws IOException, InterruptedException {
    int rounds = Math.max(2, (int) (seconds * 0.6 / VARIANTS / 3 / HIT_ROUND_S));
    int conversions = Math.max(5, (int) (seconds * 0.4 / MISS_ROUND_S));
    tell("painting and storing " + (conversions + WARM_UPS + 2) + " originals");
    byte[] png = Photograph.png(Photograph.of(ORIGINAL_PX, 7));
    Path file = Files.write(folder.resolve("original.png"), png);
    BlobStore originals = EdgeProcess.originals(folder);
    List<String> copies = new ArrayList<>();
    for (int i = 0; i < Misses.copiesFor(conversions, WARM_UPS) + 2; i++) {
      copies.add(originals.put(Photograph.copy(png, i)));
    }
    byte[] smallPng = Photograph.png(Photograph.of(SMALL_PX, 8));
    String small = originals.put(smallPng);
    String hot = copies.removeLast();
    String cold = copies.removeLast();
    Path served = Files.createDirectories(folder.resolve("nginx/files"));
    int cores = Runtime.getRuntime().availableProcessors();
    try (EdgeProcess edge = EdgeProcess.start(folder);
        Nginx nginx = Nginx.start(served.getParent(), cores);
        Sharp sharp =
            Sharp.start(
                peers, file, EdgeConfig.Encoder.defaults().avifEffort(), folder.resolve("blobs"));
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      List<Hits.Row> hits = hits(new Hits(edge, nginx, served, client), hot, rounds);
      Misses all = new Misses(edge, sharp, client, png, copies);
      tell("warming up: " + SMALL_COUNT + " small conversions, three ways");
      all.warmUp(small, smallPng, SMALL_PX, SMALL_COUNT);
      tell("misses: " + conversions + " of each format, four ways");
      List<Misses.Row> misses = all.measure(conversions, WARM_UPS);
      tell(CLIENTS + " clients for one cold variant");
      Crowd crowd = Crowd.ask(edge, client, cold, CLIENTS);
      return report(hits, misses, crowd, sharp.versions());
    }
  }

  private List<Hits.Row> hits(Hits hits, String sha256, int rounds)
      throws IOException, InterruptedException {
    List<Hits.Row> rows = new ArrayList<>();
    tell(
        "hits: " + rounds + " rounds of " + HIT_ROUND_S + " s, edge and nginx in turn, 3 variants");
    rows.add(
        hits.measure(
            "512px.webp", sha256, 512, Optional.of(ImageFormat.WEBP), rounds, HIT_ROUND_S));
    rows.add(
        hits.measure(
            "256px.avif", sha256, 256, Optional.of(ImageFormat.AVIF), rounds, HIT_ROUND_S));
    rows.add(hits.measure("512px.auto", sha256, 512, Optional.empty(), rounds, HIT_ROUND_S));
    return rows;
  }

  private int report(
      List<Hits.Row> hits, List<Misses.Row> misses, Crowd crowd, String sharpVersions)
      throws IOException {
    double hit = hits.stream().mapToDouble(Hits.Row::ratio).min().orElseThrow();
    double miss = misses.stream().mapToDouble(Misses.Row::httpRatio).min().orElseThrow();
    double direct = misses.stream().mapToDouble(Misses.Row::directRatio).min().orElseThrow();
    ObjectNode result = new ObjectMapper().createObjectNode();
    result
        .put("bench", "edge")
        .put("date", LocalDate.now().toString())
        .put("cores", Runtime.getRuntime().availableProcessors())
        .put("java", Runtime.version().toString())
        .put("nginx", version(Programs.output(List.of(program("nginx"), "-v"))))
        .put("sharp", sharpVersions)
        .put("hit_vs_nginx", Numbers.short3(hit))
        .put("hit_rps", Math.round(hits.getFirst().edgeRps()))
        .put("nginx_rps", Math.round(hits.getFirst().nginxRps()))
        .put("hit_cpu_us", Numbers.short3(hits.getFirst().edgeCpuUs()))
        .put("nginx_cpu_us", Numbers.short3(hits.getFirst().nginxCpuUs()))
        .put("miss_vs_sharp", Numbers.short3(miss))
        .put("direct_vs_sharp", Numbers.short3(direct))
        .put("encodes_for_" + CLIENTS + "_clients", crowd.encodes())
        .put("clients_ms", Math.round(crowd.tookMs()));
    ObjectNode perVariant = result.putObject("hits");
    hits.forEach(row -> row.into(perVariant.putObject(row.name())));
    ObjectNode perFormat = result.putObject("misses");
    misses.forEach(row -> row.into(perFormat.putObject(row.format().extension())));
    if (!json) {
      Table.print(System.out, hits, misses, crowd);
    }
    if (save != null) {
      Files.writeString(save, result.toPrettyString() + "\n");
    }
    System.out.println(result);
    return hit >= HIT_BAR && miss >= MISS_BAR && crowd.encodes() == 1 ? 0 : 1;
  }

  private static String program(String name) {
    return Programs.find(name).orElseThrow().toString();
  }

  private static String version(String said) {
    return said.strip().replace("nginx version: nginx/", "");
  }

  private void tell(String what) {
    if (!json) {
      System.err.println("bench: " + what);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
