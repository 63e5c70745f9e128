package dev.tintype.node;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.http.EdgeRoutes;
import dev.tintype.edge.vips.VipsLibrary;
import dev.tintype.gateway.Gateway;
import dev.tintype.gateway.GatewayConfig;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.ImageLinks;
import dev.tintype.gateway.ModelCatalog;
import dev.tintype.gateway.metrics.ProcessMetric;
import dev.tintype.gateway.metrics.ProcessPage;
import dev.tintype.node.http.Certificate;
import dev.tintype.node.http.CertificateWatch;
import dev.tintype.node.http.ConnectionGuard;
import dev.tintype.node.http.HttpLimits;
import dev.tintype.node.http.TlsConfig;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DerivedStore;
import dev.tintype.queue.blob.S3Config;
import dev.tintype.queue.blob.S3DerivedStore;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.sweep.DerivedSweep;
import dev.tintype.queue.webhook.WebhookPolicy;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;

/** The one HTTP server of a process, with the routes of its roles. */
public final class Web {
  private static final int START_S_MAX = 20;

  private final NodeConfig config;
  private final DataFolder folder;
  private final BlobStore blobs;
  private final Ephemera limits;
  private final FleetView fleet;
  private final SecureRandom random;
  private final List<ProcessMetric> metrics;
  private final Closers closers;
  private final BiConsumer<String, String> teller;
  private final EdgeConfig edgeConfig;

  Web(
      NodeConfig config,
      DataFolder folder,
      BlobStore blobs,
      Ephemera limits,
      FleetView fleet,
      SecureRandom random,
      List<ProcessMetric> metrics,
      Closers closers,
      BiConsumer<String, String> teller) {
    this.config = config;
    this.folder = folder;
    this.blobs = blobs;
    this.limits = limits;
    this.fleet = fleet;
    this.random = random;
    this.metrics = metrics;
    this.closers = closers;
    this.teller = teller;
    this.edgeConfig = edgeConfig();
  }

  /** Whether the configured port can be had now. */
  public static boolean portFree(NodeConfig config) {
    try {
      checkPort(config);
      return true;
    } catch (NodeException.Start e) {
      return false;
    }
  }

  /** Refuses a port that is taken before anything slow is started. */
  static void checkPort(NodeConfig config) {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(config.host(), config.port()));
    } catch (IOException e) {
      throw portTaken(config, e);
    }
  }

  private static NodeException.Start portTaken(NodeConfig config, Throwable e) {
    return new NodeException.Start(
        "port.taken",
        "Cannot listen on %s:%d (%s). Another program has that port: stop it, or choose another with --port (0 takes a free one)."
            .formatted(config.host(), config.port(), e.getMessage()),
        e);
  }

  /** Starts the server and returns the origin under which it answers on this machine. */
  String start(Optional<StoreParts> store, ModelCatalog models) {
    Vertx vertx = Vertx.vertx();
    closers.add("vertx", () -> await(vertx.close()));
    Router router = Router.router(vertx);
    Optional<Certificate> certificate = config.tls().map(Certificate::read);
    HttpServer server =
        vertx.createHttpServer(
            HttpLimits.DEFAULT.options(config.host(), config.port(), certificate));
    Handler<HttpServerRequest> handler = router;
    if (config.roles().contains(Role.EDGE)) {
      handler = mountEdge(router).inFrontOf(router);
    }
    PublicUrl publicUrl = new PublicUrl(config.publicUrl());
    if (config.roles().contains(Role.GATEWAY)) {
      mountGateway(vertx, router, server, store.orElseThrow(), models, publicUrl);
    } else {
      new ProcessPage(
              vertx, GatewayConfig.defaults().errorDocs(), metrics, Clock.systemUTC(), random)
          .mount(router);
    }
    try {
      Handler<HttpServerRequest> safe = config.tls().map(this::hsts).orElse(request -> {});
      Handler<HttpServerRequest> all = handler;
      await(
          server
              .requestHandler(
                  new ConnectionGuard(vertx, HttpLimits.DEFAULT)
                      .watch(
                          server,
                          request -> {
                            safe.handle(request);
                            all.handle(request);
                          }))
              .listen());
    } catch (NodeException e) {
      throw e.getCause() instanceof BindException bind ? portTaken(config, bind) : e;
    }
    closers.add("http", () -> await(server.close()));
    certificate.ifPresent(found -> watch(vertx, server, found));
    String scheme = certificate.isPresent() ? "https://" : "http://";
    String url = scheme + localHost() + ":" + server.actualPort();
    publicUrl.listening(url);
    return url;
  }

  private void watch(Vertx vertx, HttpServer server, Certificate certificate) {
    TlsConfig tls = config.tls().orElseThrow();
    closers.add("certificate", new CertificateWatch(vertx, tls, server, certificate));
    teller.accept(
        "tls",
        certificate
            .invalidAt(Instant.now())
            .orElse(tls.cert() + ", valid until " + certificate.notAfter()));
  }

  /** RFC 6797; without effect on anything but browsers. */
  private Handler<HttpServerRequest> hsts(TlsConfig tls) {
    String value = "max-age=" + tls.hsts().toSeconds();
    return tls.hsts().isZero()
        ? request -> {}
        : request -> request.response().putHeader("Strict-Transport-Security", value);
  }

  private String localHost() {
    return switch (config.host()) {
      case "0.0.0.0", "::", "127.0.0.1" -> "localhost";
      default -> config.host();
    };
  }

  private EdgeRoutes mountEdge(Router router) {
    EdgeRoutes edge =
        closers.add(
            "edge",
            new EdgeRoutes(
                edgeConfig, new BlobOriginals(blobs), sharedVariants(), Clock.systemUTC()));
    closers.add("purges", new EdgePurges(edge, limits).start());
    metrics.addAll(EdgeMetrics.of(edge));
    edge.mount(router);
    teller.accept(
        "edge",
        switch (edge.library()) {
          case VipsLibrary.Ready(String version, Path file) ->
              "libvips " + version + ": WebP, AVIF, JPEG in any size";
          case VipsLibrary.Unavailable(String reason) -> "originals only. " + reason;
        });
    return edge;
  }

  /** The gateway reads it too: it signs the links, and knows which of them carry a watermark. */
  private EdgeConfig edgeConfig() {
    Map<String, String> settings = new HashMap<>(config.edge());
    settings.putIfAbsent("edge.cache.folder", folder.resolve("edge").toString());
    settings.putIfAbsent("edge.keys", "k1:" + folder.secret("edge-key"));
    return EdgeConfig.parse(settings);
  }

  /** Variants in the bucket of the originals, where the configuration wants them there. */
  private SharedVariants sharedVariants() {
    if (edgeConfig.cache().variants() == EdgeConfig.Cache.Variants.DISK) {
      return SharedVariants.NONE;
    }
    S3Config bucket =
        config
            .fleet()
            .s3()
            .orElseThrow(
                () ->
                    new NodeException.Config(
                        "config.edge_variants",
                        "edge.variants = store keeps variants in the bucket of the pictures, and"
                            + " there is none: set s3.bucket, or leave edge.variants out (variants"
                            + " are then kept in edge.cache.folder alone)."));
    DerivedStore store = closers.add("variants", new S3DerivedStore(bucket));
    Duration keep = Duration.ofDays(edgeConfig.cache().storeKeepDays());
    closers.add(
        "expiry",
        new VariantExpiry(new DerivedSweep(store, keep, Clock.systemUTC(), random)).start());
    return new StoredVariants(store);
  }

  private void mountGateway(
      Vertx vertx,
      Router router,
      HttpServer server,
      StoreParts store,
      ModelCatalog models,
      PublicUrl publicUrl) {
    ImageLinks links = new EdgeLinks(edgeConfig, publicUrl::of);
    GatewayConfig defaults =
        GatewayConfig.defaults().withAdmission(config.admission()).withRates(config.rates());
    Gateway gateway =
        closers.add(
            "gateway",
            new Gateway(
                config.publicUrl().map(URI::create).map(defaults::withImageOrigin).orElse(defaults),
                new GatewayParts(
                    vertx,
                    store.jobs(),
                    store.accounts(),
                    store.accountAdmin(),
                    store.uploads(),
                    blobs,
                    store.events(),
                    models,
                    links,
                    closers.add("costs", new StoreCosts(store.jobs()).start()),
                    limits,
                    fleet,
                    config.fleet().scale(),
                    config
                        .fleet()
                        .webhooks()
                        .map(WebhookSettings::policy)
                        .orElse(WebhookPolicy.OFF),
                    metrics,
                    Clock.systemUTC(),
                    random)));
    gateway.mount(router);
    server.invalidRequestHandler(gateway::refuseUnreadable);
  }

  static <T> T await(Future<T> future) {
    try {
      return future.toCompletionStage().toCompletableFuture().get(START_S_MAX, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeException.Start("node.interrupted", "Interrupted.", e);
    } catch (TimeoutException e) {
      throw new NodeException.Start(
          "node.slow", "The HTTP server did not answer in " + START_S_MAX + " s.", e);
    } catch (ExecutionException e) {
      throw new NodeException.Start(
          "http.start", "The HTTP server did not start: " + e.getCause(), e.getCause());
    }
  }

  /** The origin in pictures' URLs: the configured one, else where we turn out to listen. */
  private static final class PublicUrl {
    private final boolean fixed;
    private volatile String origin;

    PublicUrl(Optional<String> configured) {
      this.fixed = configured.isPresent();
      this.origin = configured.orElse("");
    }

    void listening(String url) {
      if (!fixed) {
        origin = url;
      }
    }

    String of(String path) {
      return origin + path;
    }
  }
}
