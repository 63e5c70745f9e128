package dev.tintype.perf.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.SigningKeys;
import dev.tintype.edge.url.VariantUrls;
import dev.tintype.edge.vips.VipsLibrary;
import dev.tintype.gateway.admin.PicturesAdmin;
import dev.tintype.node.Node;
import dev.tintype.node.NodeException;
import dev.tintype.node.SettingsReader;
import dev.tintype.queue.blob.S3BlobStore;
import dev.tintype.queue.blob.S3Config;
import dev.tintype.queue.ephemera.RedisConfig;
import dev.tintype.queue.ephemera.RedisEphemera;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.RedisServer;
import dev.tintype.servers.S3Server;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two edges over one bucket and one Redis, as an operator sets them up. */
@Tag("slow")
@Timeout(300)
final class SharedEdgesTest {
  private static final String SECRET = "for tests only";
  private static final String KEY = "k1:000102030405060708090a0b0c0d0e0f";
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  @TempDir Path folder;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private SettingsReader settings(String name) {
    return new SettingsReader(Path.of("").toAbsolutePath().getParent())
        .environment(Map.of())
        .flag("data", folder.resolve(name))
        .flag("port", 0)
        .flag("roles", "edge")
        .flag("edge.keys", KEY)
        .flag("edge.variants", "store");
  }

  private Node edge(String name, String s3, String redis) {
    return Node.open(
        settings(name)
            .flag("s3.endpoint", s3)
            .flag("s3.bucket", "pictures")
            .flag("s3.access_key", S3Server.ACCESS_KEY)
            .flag("s3.secret_key", SECRET)
            .flag("redis.url", redis)
            .read(),
        (part, found) -> {},
        () -> {});
  }

  private static S3BlobStore bucket(String s3) {
    return new S3BlobStore(
        new S3Config(
            Optional.of(URI.create(s3)),
            "us-east-1",
            "pictures",
            "",
            Optional.of(new S3Config.Credentials(S3Server.ACCESS_KEY, SECRET)),
            S3Config.DEADLINE_DEFAULT));
  }

  @Test
  void whatOneMadeTheOtherFindsAndARemovedPictureIsGoneFromBoth() throws Exception {
    assumeTrue(VipsLibrary.load(Optional.empty()) instanceof VipsLibrary.Ready, "libvips is here");
    int s3Port = FreePorts.one();
    int redisPort = FreePorts.one();
    String s3 = "http://127.0.0.1:" + s3Port;
    String redis = "redis://127.0.0.1:" + redisPort;
    Path servers = Files.createDirectories(folder.resolve("servers"));
    try (ChildProcess bucketServer =
            S3Server.of("s3", servers, s3Port, "pictures", SECRET).start().awaitReady();
        ChildProcess redisServer =
            RedisServer.of("redis", servers, redisPort, 16).start().awaitReady();
        S3BlobStore blobs = bucket(s3);
        Node one = edge("one", s3, redis);
        Node two = edge("two", s3, redis);
        RedisEphemera shared = new RedisEphemera(RedisConfig.of(redis, Optional.empty()))) {
      String sha256 = blobs.put(Photograph.png(Photograph.of(96, 5)));
      String path =
          new VariantUrls(SigningKeys.parse(KEY))
              .variant(sha256, Operations.none().width(48), ImageFormat.WEBP);
      HttpResponse<byte[]> made = get(one, path);
      assertThat(made.statusCode()).isEqualTo(200);
      assertThat(status(made)).isEqualTo("tintype; fwd=miss; stored");
      Path kept = until(() -> object("variants"));
      HttpResponse<byte[]> found = get(two, path);
      assertThat(status(found)).isEqualTo("tintype; hit; detail=store");
      assertThat(found.body()).isEqualTo(made.body());

      // As the gateway does.
      shared.put(PicturesAdmin.FOLDER + sha256, new byte[] {1}, Duration.ofDays(1));
      shared.publish(PicturesAdmin.TOPIC, sha256.getBytes(StandardCharsets.US_ASCII));
      for (Node edge : new Node[] {one, two}) {
        until(() -> get(edge, path).statusCode() == 410 ? Optional.of(edge) : Optional.empty());
      }
      until(() -> Files.exists(kept) ? Optional.empty() : Optional.of(kept));
      try (Node late = edge("late", s3, redis)) {
        until(() -> get(late, path).statusCode() == 410 ? Optional.of(late) : Optional.empty());
      }
    }
  }

  @Test
  void withoutABucketThereIsNothingToShare() {
    assertThatThrownBy(
            () -> Node.open(settings("alone").read(), (part, found) -> {}, () -> {}).close())
        .isInstanceOfSatisfying(
            NodeException.Config.class,
            e -> assertThat(e.code()).isEqualTo("config.edge_variants"));
  }

  /** A file of the bucket below a folder of that name. */
  private Optional<Path> object(String name) throws Exception {
    try (var files = Files.walk(folder.resolve("servers"))) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> file.toString().contains("/" + name + "/"))
          .findFirst();
    }
  }

  private interface Look<T> {
    Optional<T> look() throws Exception;
  }

  private static <T> T until(Look<T> look) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      Optional<T> found = look.look();
      if (found.isPresent()) {
        return found.get();
      }
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private HttpResponse<byte[]> get(Node edge, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create(edge.url().replace("localhost", "127.0.0.1") + path))
            .timeout(Duration.ofSeconds(60))
            .build(),
        HttpResponse.BodyHandlers.ofByteArray());
  }

  private static String status(HttpResponse<?> response) {
    return response.headers().firstValue("cache-status").orElse("none");
  }
}
