package dev.tintype.queue.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.S3Server;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a real server of the S3 protocol. */
@Tag("slow")
class S3BlobStoreTest extends BlobStoreContract {
  private static final AtomicInteger RUNS = new AtomicInteger();
  private static final String SECRET = "for tests only";
  @TempDir static Path folder;
  private static ChildProcess server;
  private static URI endpoint;
  private S3BlobStore opened;

  @BeforeAll
  static void startServer() {
    int port = FreePorts.one();
    endpoint = URI.create("http://127.0.0.1:" + port);
    server = S3Server.of("s3", folder, port, "pictures", SECRET).start().awaitReady();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Override
  BlobStore open() {
    opened = open(SECRET, "run" + RUNS.incrementAndGet() + "/", Duration.ofSeconds(20));
    return opened;
  }

  @AfterEach
  void close() {
    if (opened != null) {
      opened.close();
    }
  }

  private static S3BlobStore open(String secret, String prefix, Duration deadline) {
    return new S3BlobStore(
        new S3Config(
            Optional.of(endpoint),
            "us-east-1",
            "pictures",
            prefix,
            Optional.of(new S3Config.Credentials(S3Server.ACCESS_KEY, secret)),
            deadline));
  }

  private static S3Config config(String prefix) {
    return new S3Config(
        Optional.of(endpoint),
        "us-east-1",
        "pictures",
        prefix,
        Optional.of(new S3Config.Credentials(S3Server.ACCESS_KEY, SECRET)),
        Duration.ofSeconds(20));
  }

  @Test
  void variantsLieBesideTheirBlobsAndAreForgottenTogether() {
    String prefix = "run" + RUNS.incrementAndGet() + "/";
    try (S3BlobStore blobs = new S3BlobStore(config(prefix));
        S3DerivedStore variants = new S3DerivedStore(config(prefix))) {
      String one = blobs.put(bytes(2_000));
      String two = blobs.put(bytes(2_001));
      variants.put(one, "ab12", "image/webp", bytes(10));
      variants.put(one, "cd34", "image/avif", bytes(11));
      variants.put(two, "ab12", "image/webp", bytes(12));
      assertThat(variants.get(one, "ab12")).contains(bytes(10));
      assertThat(variants.get(one, "ffff")).isEmpty();
      assertThat(blobs.list("", 10))
          .extracting(BlobStore.Entry::sha256)
          .contains(one, two)
          .hasSize(2);
      assertThat(variants.forget(one)).isEqualTo(2);
      assertThat(variants.get(one, "cd34")).isEmpty();
      assertThat(variants.get(two, "ab12")).contains(bytes(12));
      assertThat(variants.forget(one)).isZero();
    }
  }

  @Test
  void aVariantWithOtherBytesThanWerePutIsRefused() throws IOException {
    String prefix = "run" + RUNS.incrementAndGet() + "/";
    try (S3DerivedStore variants = new S3DerivedStore(config(prefix))) {
      variants.put("ab".repeat(32), "77", "image/webp", bytes(100));
      try (var files = Files.walk(folder)) {
        Path file = files.filter(path -> path.endsWith("77")).findFirst().orElseThrow();
        Files.write(file, bytes(99));
      }
      assertThatThrownBy(() -> variants.get("ab".repeat(32), "77"))
          .isInstanceOfSatisfying(
              QueueException.Blob.class, e -> assertThat(e.code()).isEqualTo("blob.io"));
      assertThatThrownBy(() -> variants.get("ab".repeat(32), "../77"))
          .isInstanceOfSatisfying(
              QueueException.Blob.class, e -> assertThat(e.code()).isEqualTo("blob.key"));
    }
  }

  @Test
  void otherBytesThanTheNameSaysAreNotServed() throws IOException {
    BlobStore blobs = open();
    String name = blobs.put(bytes(1_000));
    try (var files = Files.walk(folder)) {
      Path file = files.filter(path -> path.endsWith(name)).findFirst().orElseThrow();
      Files.write(file, bytes(999));
    }
    assertThatThrownBy(() -> blobs.open(name))
        .isInstanceOfSatisfying(
            QueueException.Blob.class, e -> assertThat(e.code()).isEqualTo("blob.io"));
  }

  /** This server may keep no classes; {@link S3StorageClassTest} looks at what is asked of one. */
  @Test
  void aBlobThatBecameColdIsStillThere() throws IOException {
    try (S3BlobStore blobs =
        new S3BlobStore(
            new S3Config(
                Optional.of(endpoint),
                "us-east-1",
                "pictures",
                "cold/",
                Optional.of(new S3Config.Credentials(S3Server.ACCESS_KEY, SECRET)),
                Duration.ofSeconds(60),
                S3Config.STORAGE_CLASS_DEFAULT,
                Optional.of("STANDARD_IA")))) {
      String name = blobs.put(bytes(1_000));
      assertThat(blobs.cool(blobs.list("", 1).getFirst())).isTrue();
      assertThat(blobs.open(name).orElseThrow().readAllBytes()).isEqualTo(bytes(1_000));
      assertThat(blobs.list("", 10)).hasSize(1);
      assertThat(blobs.delete(name)).isTrue();
    }
  }

  @Test
  void wrongCredentialsAreSaidSo() {
    try (S3BlobStore blobs = open("another secret", "", Duration.ofSeconds(20))) {
      assertThatThrownBy(() -> blobs.put(bytes(10)))
          .isInstanceOfSatisfying(
              QueueException.Blob.class,
              e -> {
                assertThat(e.code()).isEqualTo("blob.read_only");
                assertThat(e.getMessage()).doesNotContain("another secret");
              });
    }
  }

  @Test
  void aServerThatIsAwayIsSaidSoInTimeAndUsedAgain() {
    try (S3BlobStore blobs = open(SECRET, "away/", Duration.ofSeconds(2))) {
      String name = blobs.put(bytes(10));
      server.kill();
      assertThatThrownBy(() -> blobs.size(name))
          .isInstanceOfSatisfying(
              QueueException.Blob.class, e -> assertThat(e.code()).isEqualTo("blob.io"));
      server.start().awaitReady();
      assertThat(blobs.size(name)).hasValue(10);
    }
  }
}
