package dev.tintype.perf.edge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.node.NodeException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Cached variants of the edge against nginx with the same bytes in files under the same paths:
 * rounds of wrk, first the one, then the other.
 */
final class Hits {
  private static final int CONNECTIONS = 32;
  private static final int WARM_UP_S = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final EdgeProcess edge;
  private final Nginx nginx;
  private final Path files;
  private final HttpClient client;

  /** One round of both. */
  private record Round(Wrk edge, Wrk nginx) {
    double ratio() {
      return edge.rps() / nginx.rps();
    }
  }

  /**
   * A variant that is asked again and again.
   *
   * @param name short, for tables and JSON
   * @param ratio median of the rounds' own ratios of answers a second
   */
  record Row(
      String name,
      int bytes,
      double edgeRps,
      double nginxRps,
      double ratio,
      double edgeCpuUs,
      double nginxCpuUs,
      double edgeP99Ms,
      double nginxP99Ms) {
    void into(ObjectNode json) {
      json.put("bytes", bytes)
          .put("edge_rps", Math.round(edgeRps))
          .put("nginx_rps", Math.round(nginxRps))
          .put("ratio", Numbers.short3(ratio))
          .put("edge_cpu_us", Numbers.short3(edgeCpuUs))
          .put("nginx_cpu_us", Numbers.short3(nginxCpuUs))
          .put("edge_p99_ms", Numbers.short3(edgeP99Ms))
          .put("nginx_p99_ms", Numbers.short3(nginxP99Ms));
    }
  }

  /**
   * Between two servers.
   *
   * @param files what nginx serves
   */
  Hits(EdgeProcess edge, Nginx nginx, Path files, HttpClient client) {
    this.edge = edge;
    this.nginx = nginx;
    this.files = files;
    this.client = client;
  }

  /**
   * Measures one variant.
   *
   * @param format empty for {@code auto}, which nginx serves as a plain file
   */
  Row measure(
      String name, String sha256, int width, Optional<ImageFormat> format, int rounds, int seconds)
      throws IOException, InterruptedException {
    Operations operations = Operations.none().width(width);
    String path =
        format
            .map(named -> EdgeProcess.urls().variant(sha256, operations, named))
            .orElseGet(() -> EdgeProcess.urls().auto(sha256, operations));
    byte[] body = get(edge.origin() + path, 200);
    Path file = files.resolve(path.substring(1));
    Files.createDirectories(file.getParent());
    Files.write(file, body);
    Wrk.run(edge.origin() + path, edge.handle(), CONNECTIONS, WARM_UP_S);
    for (String origin : nginx.origins()) {
      get(origin + path, 200);
      Wrk.run(origin + path, nginx.handle(), CONNECTIONS, 1);
    }
    List<Round> all = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      Wrk ours = Wrk.run(edge.origin() + path, edge.handle(), CONNECTIONS, seconds);
      Wrk theirs =
          nginx.origins().stream()
              .map(origin -> Wrk.run(origin + path, nginx.handle(), CONNECTIONS, seconds))
              .max(Comparator.comparingDouble(Wrk::rps))
              .orElseThrow();
      all.add(new Round(ours, theirs));
    }
    return new Row(
        name,
        body.length,
        Medians.of(all, round -> round.edge.rps()),
        Medians.of(all, round -> round.nginx.rps()),
        Medians.of(all, Round::ratio),
        Medians.of(all, round -> round.edge.cpuUs()),
        Medians.of(all, round -> round.nginx.cpuUs()),
        Medians.of(all, round -> round.edge.p99Ms()),
        Medians.of(all, round -> round.nginx.p99Ms()));
  }

  private byte[] get(String url, int status) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .timeout(PATIENCE)
            .header("Accept", "image/avif,image/webp")
            .build();
    HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    if (response.statusCode() != status) {
      throw new NodeException.Start(
          "bench.program", url + " answers " + response.statusCode() + ", not " + status);
    }
    return response.body();
  }
}
