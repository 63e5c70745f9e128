package dev.tintype.queue.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.tintype.queue.QueueException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Storage classes as they are asked for. The server of the other tests keeps none, so this one only
 * writes down what it hears.
 */
class S3StorageClassTest {
  private static final String NAME = "a".repeat(64);
  private static final Instant PUT_AT = Instant.parse("2026-01-02T03:04:05Z");

  private record Heard(String method, String path, Optional<String> storageClass, String source) {}

  private final Queue<Heard> heard = new ConcurrentLinkedQueue<>();
  private HttpServer server;
  private volatile int copyStatus = 200;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    exchange.getRequestBody().readAllBytes();
    String source =
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("x-amz-copy-source")).orElse("");
    heard.add(
        new Heard(
            exchange.getRequestMethod(),
            exchange.getRequestURI().getPath(),
            Optional.ofNullable(exchange.getRequestHeaders().getFirst("x-amz-storage-class")),
            source));
    String body = "";
    if (exchange.getRequestMethod().equals("GET")) {
      body =
          "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>"
              + NAME
              + "</Key><Size>7</Size><LastModified>"
              + PUT_AT
              + "</LastModified><StorageClass>GLACIER_IR</StorageClass></Contents></ListBucketResult>";
    } else if (!source.isEmpty()) {
      assertThat(exchange.getRequestHeaders().getFirst("x-amz-metadata-directive"))
          .isEqualTo("REPLACE");
      assertThat(exchange.getRequestHeaders().getFirst("x-amz-copy-source-if-unmodified-since"))
          .isEqualTo("Fri, 02 Jan 2026 03:04:06 GMT");
      body = "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>";
    }
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(
        source.isEmpty() ? 200 : copyStatus, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private S3BlobStore store(String storageClass, Optional<String> coldClass) {
    return new S3BlobStore(
        new S3Config(
            Optional.of(URI.create("http://127.0.0.1:" + server.getAddress().getPort())),
            "us-east-1",
            "pictures",
            "",
            Optional.of(new S3Config.Credentials("id", "secret")),
            Duration.ofSeconds(30),
            storageClass,
            coldClass));
  }

  private static BlobStore.Entry entry(String storageClass) {
    return new BlobStore.Entry(NAME, 7, PUT_AT, storageClass);
  }

  @Test
  void newOriginalsHaveTheConfiguredClass() {
    try (S3BlobStore standard = store("STANDARD", Optional.empty());
        S3BlobStore other = store("INTELLIGENT_TIERING", Optional.empty())) {
      standard.put(new byte[] {1});
      other.put(new byte[] {1});
    }
    assertThat(heard)
        .extracting(Heard::storageClass)
        .containsExactly(Optional.empty(), Optional.of("INTELLIGENT_TIERING"));
  }

  @Test
  void anOldOriginalIsCopiedOntoItselfWithTheColdClass() {
    try (S3BlobStore blobs = store("STANDARD", Optional.of("GLACIER_IR"))) {
      assertThat(blobs.cool(entry("STANDARD"))).isTrue();
      assertThat(heard)
          .containsExactly(
              new Heard("PUT", "/pictures/" + NAME, Optional.of("GLACIER_IR"), "pictures/" + NAME));
      heard.clear();
      assertThat(blobs.cool(entry("GLACIER_IR"))).as("cold already").isFalse();
      assertThat(blobs.cool(entry("STANDARD_IA"))).as("somebody else's choice").isFalse();
      assertThat(heard).isEmpty();
      copyStatus = 412;
      assertThat(blobs.cool(entry("STANDARD"))).as("put again meanwhile").isFalse();
      assertThat(blobs.list("", 1)).containsExactly(entry("GLACIER_IR"));
    }
    try (S3BlobStore blobs = store("STANDARD", Optional.empty())) {
      assertThat(blobs.cool(entry("STANDARD"))).isFalse();
    }
  }

  @Test
  void archivesAreRefused() {
    for (List<String> classes :
        List.of(
            List.of("GLACIER", "STANDARD_IA"),
            List.of("STANDARD", "DEEP_ARCHIVE"),
            List.of("STANDARD_IA", "STANDARD_IA"))) {
      assertThatThrownBy(() -> store(classes.getFirst(), Optional.of(classes.getLast())))
          .isInstanceOfSatisfying(
              QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo("s3.config"));
    }
  }
}
