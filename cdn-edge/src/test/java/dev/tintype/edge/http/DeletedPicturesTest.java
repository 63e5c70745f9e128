package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.Pictures;
import dev.tintype.edge.Tools;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.Loaded;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/edge-caches.md says of deleted pictures: the commands, on the real caches. */
@Tag("slow")
final class DeletedPicturesTest {
  @TempDir Path folder;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @BeforeAll
  static void load() {
    Loaded.vips();
  }

  private int status(Front front, String path) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + front.port() + path))
            .timeout(Duration.ofSeconds(30))
            .header("Accept", "image/avif,image/webp")
            .build();
    return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  /** The command removes every variant from the cache; until then it has them still. */
  private void purges(EdgeServer edge, Front front, String sha256, List<String> command)
      throws Exception {
    List<String> paths =
        List.of(
            URLS.variant(sha256, Operations.none().width(40), ImageFormat.WEBP),
            URLS.auto(sha256, Operations.none().width(41)),
            URLS.original(sha256, ImageFormat.PNG));
    for (String path : paths) {
      assertThat(status(front, path)).isEqualTo(200);
    }
    edge.routes.purge(sha256).get(60, TimeUnit.SECONDS);
    int asked = edge.requests.get();
    for (String path : paths) {
      assertThat(status(front, path)).as("kept in front").isEqualTo(200);
    }
    assertThat(edge.requests).hasValue(asked);
    Path output = folder.resolve("command");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(Tools.end(process, 30)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(output)).isZero();
    for (String path : paths) {
      assertThat(status(front, path)).as(path).isEqualTo(410);
    }
  }

  @Test
  void nginxForgetsThemByTheirFiles() throws Exception {
    Path front = Files.createDirectories(folder.resolve("nginx"));
    try (EdgeServer edge = new EdgeServer(folder.resolve("edge"));
        Front nginx = Front.nginx(front, edge.port())) {
      String sha256 = edge.put(Pictures.png(80, 60));
      String other = edge.put(Pictures.png(81, 60));
      String kept = URLS.variant(other, Operations.none().width(40), ImageFormat.WEBP);
      assertThat(status(nginx, kept)).isEqualTo(200);
      String command =
          "grep -rlaF \"%s\" %s | xargs rm -f".formatted(sha256, front.resolve("cache"));
      purges(edge, nginx, sha256, List.of("bash", "-c", command));
      int asked = edge.requests.get();
      assertThat(status(nginx, kept)).isEqualTo(200);
      assertThat(edge.requests).as("others stay").hasValue(asked);
    }
  }

  @Test
  void varnishForgetsThemByABan() throws Exception {
    Path program = Tools.need("varnishadm", "varnish");
    Path front = Files.createDirectories(folder.resolve("varnish"));
    try (EdgeServer edge = new EdgeServer(folder.resolve("edge"));
        Front varnish = Front.varnish(front, edge.port())) {
      String sha256 = edge.put(Pictures.png(80, 60));
      purges(
          edge,
          varnish,
          sha256,
          List.of(
              program.toString(), "-n", front.resolve("n").toString(), "ban req.url ~ " + sha256));
    }
  }
}
