package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.SigningKeys;
import dev.tintype.edge.url.VariantUrls;
import dev.tintype.node.cli.Tintype;
import dev.tintype.node.http.ClientTrust;
import dev.tintype.node.http.TestCertificates;
import dev.tintype.node.http.TlsConfig;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Gateway and edge over TLS and HTTP/2. There is no worker: jobs wait. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TlsNodeTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private Path data;
  private TlsConfig tls;
  private Node node;
  private String key;
  private HttpClient http;

  @BeforeAll
  void start() throws Exception {
    data = Homes.data();
    tls = TestCertificates.make(data, "node");
    node =
        Node.open(
            new SettingsReader(Homes.repository())
                .environment(Map.of())
                .flag("data", data)
                .flag("port", 0)
                .flag("roles", "gateway,edge,queue")
                .flag("tls.cert", tls.cert())
                .flag("tls.key", tls.key())
                .flag("tls.hsts_s", 3_600)
                .read(),
            (part, found) -> {},
            () -> {});
    key = node.apiKey().orElseThrow();
    http =
        HttpClient.newBuilder()
            .sslContext(ClientTrust.authorities(tls.cert()))
            .connectTimeout(PATIENCE)
            .build();
  }

  @AfterAll
  void stop() throws IOException {
    http.shutdownNow();
    node.close();
    Homes.delete(data);
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(node.url()).resolve(path))
        .timeout(PATIENCE)
        .header("Authorization", "Bearer " + key);
  }

  private HttpResponse<byte[]> get(String path) throws Exception {
    return http.send(request(path).build(), BodyHandlers.ofByteArray());
  }

  @Test
  void answersAreHttp2AndSayThatTlsStays() throws Exception {
    assertThat(node.url()).startsWith("https://localhost:");
    HttpResponse<byte[]> answer = get("/readyz");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
    assertThat(answer.headers().firstValue("Strict-Transport-Security")).hasValue("max-age=3600");
    assertThat(answer.sslSession().orElseThrow().getProtocol()).isEqualTo("TLSv1.3");
  }

  @Test
  void eventStreamsRunOverHttp2() throws Exception {
    HttpResponse<String> job =
        http.send(
            request("/v1/jobs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"prompt\":\"a red sun\"}"))
                .build(),
            BodyHandlers.ofString());
    assertThat(job.statusCode()).as(job.body()).isEqualTo(202);
    String path = "/v1/jobs/" + new ObjectMapper().readTree(job.body()).path("id").asText();
    HttpResponse<InputStream> stream =
        http.send(request(path + "/events").build(), BodyHandlers.ofInputStream());
    assertThat(stream.version()).isEqualTo(HttpClient.Version.HTTP_2);
    StringBuilder seen = new StringBuilder();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        seen.append(line).append('\n');
        if (line.startsWith("data:") && line.contains("queued")) {
          // On the same connection, beside the open stream.
          assertThat(
                  http.send(request(path).DELETE().build(), BodyHandlers.discarding()).statusCode()
                      / 100)
              .isEqualTo(2);
        }
      }
    }
    assertThat(seen.toString()).contains("canceled");
  }

  @Test
  void partsOfPicturesComeOverHttp2() throws Exception {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(300, 200, BufferedImage.TYPE_INT_RGB), "png", png);
    HttpResponse<String> upload =
        http.send(
            request("/v1/images")
                .header("Content-Type", "image/png")
                .POST(BodyPublishers.ofByteArray(png.toByteArray()))
                .build(),
            BodyHandlers.ofString());
    assertThat(upload.statusCode()).as(upload.body()).isEqualTo(201);
    String sha256 = new ObjectMapper().readTree(upload.body()).path("sha256").asText();
    SigningKeys keys =
        SigningKeys.parse("k1:" + Files.readString(data.resolve("edge-key")).strip());
    String path = new VariantUrls(keys).original(sha256, ImageFormat.PNG);
    HttpResponse<byte[]> whole = get(path);
    assertThat(whole.statusCode()).isEqualTo(200);
    assertThat(whole.body()).isEqualTo(png.toByteArray());
    HttpResponse<byte[]> part =
        http.send(request(path).header("Range", "bytes=10-19").build(), BodyHandlers.ofByteArray());
    assertThat(part.statusCode()).isEqualTo(206);
    assertThat(part.version()).isEqualTo(HttpClient.Version.HTTP_2);
    assertThat(part.body()).isEqualTo(Arrays.copyOfRange(png.toByteArray(), 10, 20));
    assertThat(part.headers().firstValue("Strict-Transport-Security")).isPresent();
  }

  @Test
  void aRefusedBodyEndsItsStreamAlone() throws Exception {
    HttpResponse<String> refused =
        http.send(
            request("/v1/jobs")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(new byte[4 << 20]))
                .build(),
            BodyHandlers.ofString());
    assertThat(refused.statusCode()).isEqualTo(413);
    assertThat(refused.headers().firstValue("Connection")).isEmpty();
    assertThat(get("/healthz").statusCode()).isEqualTo(200);
  }

  @Test
  void curlAgrees() throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/curl")));
    Process curl =
        new ProcessBuilder(
                "/usr/bin/curl",
                "-sS",
                "--max-time",
                "60",
                "--http2",
                "--cacert",
                tls.cert().toString(),
                "-w",
                " %{http_version}",
                node.url() + "/healthz")
            .redirectErrorStream(true)
            .start();
    String said = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(curl.waitFor(60, TimeUnit.SECONDS)).isTrue();
    Assumptions.assumeFalse(said.contains("does not support"), "a curl without HTTP/2");
    assertThat(said).contains("ok").endsWith(" 2");
  }

  @Test
  void commandsBelieveTheAuthorityThatIsNamedOrTheirOwnServer() throws Exception {
    Path settings =
        Files.writeString(
            data.resolve("tls.properties"),
            "tls.cert = " + tls.cert() + "\ntls.key = " + tls.key() + "\n");
    String[] server = {"users", "--server", node.url(), "--api-key", key};
    assertThat(Tintype.run(server)).as("nobody vouches for it").isEqualTo(Tintype.FAILED);
    String[] vouched = Arrays.copyOf(server, server.length + 2);
    vouched[server.length] = "--cacert";
    vouched[server.length + 1] = tls.cert().toString();
    assertThat(Tintype.run(vouched)).isZero();
    assertThat(Tintype.run("users", "--data", data.toString(), "--config", settings.toString()))
        .as("the certificate of its own settings")
        .isZero();
    vouched[server.length + 1] = tls.key().toString();
    assertThat(Tintype.run(vouched)).isEqualTo(Tintype.USAGE);
  }
}
