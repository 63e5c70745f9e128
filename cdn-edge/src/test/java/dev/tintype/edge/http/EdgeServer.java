package dev.tintype.edge.http;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Originals;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.url.SigningKeys;
import dev.tintype.edge.url.VariantUrls;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** An edge on a real HTTP server and an ephemeral port, with originals in a folder. */
final class EdgeServer implements AutoCloseable {
  static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
  static final SigningKeys KEYS = SigningKeys.parse("k1:000102030405060708090a0b0c0d0e0f");
  static final VariantUrls URLS = new VariantUrls(KEYS);
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  final EdgeRoutes routes;
  final EdgeConfig config;

  /** What has arrived here, from clients or from a cache in front. */
  final AtomicInteger requests = new AtomicInteger();

  /** Names of the headers that have arrived here, lower case. */
  final Set<String> headers = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private boolean closed;
  private final Vertx vertx = Vertx.vertx();
  private final HttpServer server;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  EdgeServer(Path folder) throws Exception {
    this(folder, config -> config, originals -> originals);
  }

  EdgeServer(Path folder, UnaryOperator<EdgeConfig> settings, UnaryOperator<Originals> around)
      throws Exception {
    this(folder, settings, around, SharedVariants.NONE, Clock.fixed(NOW, ZoneOffset.UTC));
  }

  EdgeServer(
      Path folder,
      UnaryOperator<EdgeConfig> settings,
      UnaryOperator<Originals> around,
      SharedVariants shared,
      Clock clock)
      throws Exception {
    this.folder = Files.createDirectories(folder.resolve("originals"));
    config = settings.apply(EdgeConfig.of(KEYS, folder.resolve("cache")));
    routes = new EdgeRoutes(config, around.apply(this::open), shared, clock);
    Router router = Router.router(vertx);
    routes.mount(router);
    Handler<HttpServerRequest> handler = routes.inFrontOf(router);
    server =
        vertx
            .createHttpServer()
            .requestHandler(
                request -> {
                  requests.incrementAndGet();
                  request.headers().names().forEach(each -> headers.add(lower(each)));
                  handler.handle(request);
                })
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .get(30, TimeUnit.SECONDS);
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  private Optional<OriginalImage> open(String sha256) {
    Path file = folder.resolve(sha256);
    return Files.exists(file) ? Optional.of(new OriginalImage.InFile(file)) : Optional.empty();
  }

  /** Stores an original; its SHA-256. */
  String put(byte[] bytes) throws IOException {
    String sha256 = Pictures.sha256(bytes);
    Files.write(folder.resolve(sha256), bytes);
    return sha256;
  }

  void remove(String sha256) throws IOException {
    Files.delete(folder.resolve(sha256));
  }

  int port() {
    return server.actualPort();
  }

  HttpResponse<byte[]> get(String path, String... headers) throws Exception {
    return send("GET", path, headers).get(30, TimeUnit.SECONDS);
  }

  HttpResponse<byte[]> head(String path, String... headers) throws Exception {
    return send("HEAD", path, headers).get(30, TimeUnit.SECONDS);
  }

  CompletableFuture<HttpResponse<byte[]>> send(String method, String path, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.actualPort() + path))
            .timeout(TIMEOUT)
            .method(method, HttpRequest.BodyPublishers.noBody());
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray());
  }

  /** The second time does nothing. */
  @Override
  public void close() throws Exception {
    if (closed) {
      return;
    }
    closed = true;
    client.close();
    routes.close();
    vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }
}
