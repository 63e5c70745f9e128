package dev.tintype.node.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.node.NodeException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertificateTest {
  @TempDir static Path folder;
  private static TlsConfig first;
  private static TlsConfig second;

  @BeforeAll
  static void make() throws Exception {
    first = TestCertificates.make(folder, "first");
    second = TestCertificates.make(folder, "second", "-keyalg", "RSA", "-validity", "40");
  }

  private static void assertRefused(TlsConfig config, String code) {
    assertThatThrownBy(() -> Certificate.read(config))
        .isInstanceOfSatisfying(
            NodeException.Config.class, e -> assertThat(e.code()).isEqualTo(code));
  }

  @Test
  void whatIsWrongWithTheFilesIsToldApart() throws Exception {
    Duration none = Duration.ZERO;
    assertRefused(new TlsConfig(folder.resolve("nowhere"), first.key(), none), "tls.cert");
    assertRefused(new TlsConfig(first.key(), first.key(), none), "tls.cert");
    assertRefused(new TlsConfig(first.cert(), first.cert(), none), "tls.key");
    assertRefused(new TlsConfig(first.cert(), second.key(), none), "tls.mismatch");
    TlsConfig third = TestCertificates.make(folder, "third");
    assertRefused(new TlsConfig(first.cert(), third.key(), none), "tls.mismatch");
    Path locked =
        Files.writeString(
            folder.resolve("locked"), "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n");
    assertRefused(new TlsConfig(first.cert(), locked, none), "tls.key");
  }

  @Test
  void namesAndTimesAreRead() {
    Certificate certificate = Certificate.read(first);
    assertThat(certificate.names()).containsExactly("localhost", "127.0.0.1", "*.pictures.example");
    assertThat(certificate.covers("LOCALHOST")).isTrue();
    assertThat(certificate.covers("eu.pictures.example")).isTrue();
    assertThat(certificate.covers("a.eu.pictures.example")).isFalse();
    assertThat(certificate.covers("pictures.example")).isFalse();
    assertThat(certificate.invalidAt(Instant.now().plusSeconds(60))).isEmpty();
    assertThat(certificate.invalidAt(Instant.now().plus(Duration.ofDays(31)))).isPresent();
    assertThat(certificate.invalidAt(Instant.now().minus(Duration.ofDays(1)))).isPresent();
  }

  @Test
  void aChangedCertificateIsUsedAndABrokenOneIsNot() throws Exception {
    Path cert = Files.copy(first.cert(), folder.resolve("live.pem"));
    Path key = Files.copy(first.key(), folder.resolve("live.key"));
    TlsConfig live = new TlsConfig(cert, key, Duration.ZERO);
    Vertx vertx = Vertx.vertx();
    try {
      Certificate current = Certificate.read(live);
      HttpServer server =
          vertx.createHttpServer(HttpLimits.DEFAULT.options("127.0.0.1", 0, Optional.of(current)));
      await(server.requestHandler(request -> request.response().end("ok")).listen());
      try (CertificateWatch watch = new CertificateWatch(vertx, live, server, current)) {
        assertThat(shown(server, first)).isEqualTo(Certificate.leaf(first.cert()));
        assertThat(await(watch.look())).as("nothing has changed").isFalse();
        Files.writeString(cert, "half a certifi");
        assertThat(await(watch.look())).isFalse();
        assertThat(shown(server, first)).isEqualTo(Certificate.leaf(first.cert()));
        Files.copy(second.cert(), cert, StandardCopyOption.REPLACE_EXISTING);
        assertThat(await(watch.look())).as("the key is still the old one").isFalse();
        assertThat(shown(server, first)).isEqualTo(Certificate.leaf(first.cert()));
        Files.copy(second.key(), key, StandardCopyOption.REPLACE_EXISTING);
        assertThat(await(watch.look())).isTrue();
        assertThat(shown(server, second)).isEqualTo(Certificate.leaf(second.cert()));
      }
    } finally {
      await(vertx.close());
    }
  }

  /** What the server shows to a new connection that believes that certificate alone. */
  private static X509Certificate shown(HttpServer server, TlsConfig believed) throws Exception {
    SSLParameters least = new SSLParameters();
    least.setProtocols(new String[] {"TLSv1.2"});
    try (HttpClient client =
        HttpClient.newBuilder()
            .sslContext(ClientTrust.authorities(believed.cert()))
            .sslParameters(least)
            .build()) {
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(URI.create("https://localhost:" + server.actualPort() + "/"))
                  .timeout(Duration.ofSeconds(60))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
      return (X509Certificate) answer.sslSession().orElseThrow().getPeerCertificates()[0];
    }
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
