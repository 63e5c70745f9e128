package dev.tintype.edge.http;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Originals;
import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.ImageRequest;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.variant.Answer;
import dev.tintype.edge.variant.Chosen;
import dev.tintype.edge.variant.Lent;
import dev.tintype.edge.variant.VariantKey;
import dev.tintype.edge.variant.VariantService;
import dev.tintype.edge.vips.VipsLibrary;
import io.vertx.core.Context;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The edge as routes: {@code GET} and {@code HEAD /i/{signature}/{ops}/{sha256}.{ext|auto}}.
 *
 * <pre>{@code
 * var edge = new EdgeRoutes(EdgeConfig.of(keys, cacheFolder), originals, Clock.systemUTC());
 * edge.mount(router);
 * }</pre>
 *
 * The order of checks: method, signature, grammar, expiry, canonical form, then the image itself.
 */
public final class EdgeRoutes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EdgeRoutes.class);
  private static final int REDIRECT_MAX_AGE_S = 86_400;

  private final EdgeConfig config;
  private final Clock clock;
  private final VariantService variants;
  private final DateField date;
  private final HotPath hot;

  /**
   * Loads libvips; see {@link #library()} for whether that worked.
   *
   * @param originals where originals come from
   * @param clock decides what has expired
   */
  public EdgeRoutes(EdgeConfig config, Originals originals, Clock clock) {
    this(config, originals, SharedVariants.NONE, clock);
  }

  /**
   * Loads libvips; see {@link #library()} for whether that worked.
   *
   * @param originals where originals come from
   * @param shared where variants are kept for other edges
   * @param clock decides what has expired
   */
  public EdgeRoutes(EdgeConfig config, Originals originals, SharedVariants shared, Clock clock) {
    this.config = config;
    this.clock = clock;
    variants = new VariantService(config, originals, shared, clock);
    date = new DateField(clock);
    hot = new HotPath(variants, date, config.delivery().clientHints());
  }

  /** Adds the routes. */
  public void mount(Router router) {
    router.route(ImageRequest.PREFIX + "*").handler(this::handle);
  }

  /**
   * Stands before a router: what the edge has in memory is answered without any routing, everything
   * else goes on. The routes must be mounted all the same.
   */
  public Handler<HttpServerRequest> inFrontOf(Handler<HttpServerRequest> router) {
    return request -> {
      if (!hot.answers(request)) {
        router.handle(request);
      }
    };
  }

  /**
   * Whether libvips was found; without it originals are served, and variants answer 503 with the
   * reason.
   */
  public VipsLibrary.Status library() {
    return variants.library();
  }

  /** AVIF variants that were put off and are not begun yet. */
  public int waitingForLater() {
    return variants.waitingForLater();
  }

  /** AVIF variants that were put off and given up for newer ones, since the start. */
  public long givenUpForLater() {
    return variants.givenUpForLater();
  }

  /** Bytes that requests hold beside the caches, of edge.limits.in_flight_bytes_max. */
  public long bytesInFlight() {
    return variants.bytesInFlight();
  }

  /** How often a request found no room among them, since the start. */
  public long refusedForMemory() {
    return variants.refusedForMemory();
  }

  /** Encodes since the start. */
  public long encodes() {
    return variants.encodes();
  }

  /**
   * Drops everything that this edge has of a picture, and answers 410 for it for a day (longer
   * where it is told again). Repeating it is harmless.
   *
   * @param sha256 64 lower-case hexadecimal digits
   * @return done when nothing is left in memory, on the disk and in the shared store; fails with
   *     edge.store where that store did not do it
   */
  public CompletableFuture<Void> purge(String sha256) {
    return variants.purge(sha256);
  }

  /** Whether a picture was purged within the last day. */
  public boolean purged(String sha256) {
    return variants.purged(sha256);
  }

  @Override
  public void close() {
    variants.close();
  }

  private void handle(RoutingContext routing) {
    HttpServerRequest http = routing.request();
    http.response().putHeader(HttpHeaders.DATE, date.now());
    try {
      answer(routing, http);
    } catch (EdgeException problem) {
      Problems.send(http, problem);
    } catch (RuntimeException fault) {
      LOG.error("an image request failed", fault);
      Problems.send(http, EdgeException.failed());
    }
  }

  private void answer(RoutingContext routing, HttpServerRequest http) {
    if (!http.method().equals(HttpMethod.GET) && !http.method().equals(HttpMethod.HEAD)) {
      throw EdgeException.wrongMethod(http.method().name());
    }
    long startNs = System.nanoTime();
    ImageRequest request =
        ImageRequest.parse(config.keys(), config.delivery().unsignedPresets(), http.path());
    long nowS = clock.instant().getEpochSecond();
    Operations operations = request.operations();
    if (operations.expiresS().isPresent() && operations.expiresS().getAsLong() < nowS) {
      throw EdgeException.expired(operations.expiresS().getAsLong());
    }
    ImageFormat format = request.format().orElseGet(() -> Negotiation.choose(joined(http)));
    // Resolved before the redirect: a URL that can never be answered is refused at once.
    Optional<VariantKey> key =
        operations.original()
            ? Optional.empty()
            : Optional.of(key(request, format, hints(request, http)));
    if (!request.canonical() || http.query() != null) {
      redirect(http, request);
      return;
    }
    ImageResponse response =
        new ImageResponse(
            http,
            request,
            format,
            ImageResponse.quoted(key.map(VariantKey::id).orElse(request.sha256())),
            listensTo(request),
            config.delivery().cacheTags(),
            nowS,
            startNs,
            false);
    Optional<VariantKey> instead = instead(request, format, http);
    if (!matchHolds(response, instead)) {
      throw EdgeException.precondition();
    }
    if (EntityTags.noneMatchHits(http.getHeader(HttpHeaders.IF_NONE_MATCH), response.etag())) {
      notModified(routing, response, request, key);
    } else if (key.isEmpty()) {
      later(routing, variants.original(request.sha256(), format), lent -> lend(response, lent));
    } else if (instead.isPresent()) {
      later(
          routing,
          variants.soon(key.get(), instead.get()),
          chosen -> send(chosen.temporary() ? response.instead(chosen.key()) : response, chosen));
    } else {
      Answer answer = variants.get(key.get());
      later(
          routing,
          answer.served(),
          served -> send(response, new Chosen(key.get(), served, answer.collapsed(), false)));
    }
  }

  /** The room that an original takes is free when the client has it, however slow it is. */
  private static void lend(ImageResponse response, Lent lent) {
    try {
      response.send(lent.served(), false).onComplete(sent -> lent.close());
    } catch (RuntimeException e) {
      lent.close();
      throw e;
    }
  }

  private void send(ImageResponse response, Chosen chosen) {
    String known = response.http().getHeader(HttpHeaders.IF_NONE_MATCH);
    if (chosen.temporary() && EntityTags.noneMatchHits(known, response.etag())) {
      response.notModified();
      return;
    }
    response.send(chosen.served(), chosen.collapsed());
    hot.learn(response, chosen.key(), chosen.served());
  }

  /** If-Match may name what is sent for good, or what is sent until that is there. */
  private static boolean matchHolds(ImageResponse response, Optional<VariantKey> instead) {
    String header = response.http().getHeader(HttpHeaders.IF_MATCH);
    return EntityTags.matchHolds(header, response.etag())
        || instead
            .filter(key -> EntityTags.matchHolds(header, ImageResponse.quoted(key.id())))
            .isPresent();
  }

  /** What may be sent while the AVIF that {@code auto} chose is not there. */
  private Optional<VariantKey> instead(
      ImageRequest request, ImageFormat format, HttpServerRequest http) {
    boolean mayWait =
        request.format().isEmpty()
            && format == ImageFormat.AVIF
            && config.encoder().avifBudgetMs() > 0;
    return mayWait
        ? Optional.of(
            key(request, Negotiation.chooseBesidesAvif(joined(http)), hints(request, http)))
        : Optional.empty();
  }

  private VariantKey key(ImageRequest request, ImageFormat format, ClientHints hints) {
    int sidePxMax = config.limits().sidePxMax();
    return variants.key(
        request.sha256(),
        request
            .operations()
            .onScreen(hints.dprHundredths(), sidePxMax)
            .resolve(format, sidePxMax, hints.quality(config.encoder()::quality)));
  }

  /** Only where the URL leaves the choice to the client, and the configuration allows it. */
  private ClientHints hints(ImageRequest request, HttpServerRequest http) {
    return listensTo(request) ? ClientHints.of(http) : ClientHints.NONE;
  }

  private boolean listensTo(ImageRequest request) {
    return config.delivery().clientHints() && request.format().isEmpty();
  }

  /** Several Accept headers mean the same as one with commas (RFC 9110, section 5.3). */
  private static String joined(HttpServerRequest http) {
    var values = http.headers().getAll(HttpHeaders.ACCEPT);
    return values.isEmpty() ? null : String.join(",", values);
  }

  /** 301 to the one URL of this image, so that caches hold it once. */
  private static void redirect(HttpServerRequest http, ImageRequest request) {
    boolean expires = request.operations().expiresS().isPresent();
    http.response()
        .setStatusCode(301)
        .putHeader(HttpHeaders.LOCATION, request.canonicalPath())
        .putHeader(
            HttpHeaders.CACHE_CONTROL,
            expires ? "no-store" : "public, max-age=" + REDIRECT_MAX_AGE_S)
        .putHeader("X-Content-Type-Options", "nosniff")
        .end();
  }

  /** 304 without encoding anything; but only while the image is still there. */
  private void notModified(
      RoutingContext routing,
      ImageResponse response,
      ImageRequest request,
      Optional<VariantKey> key) {
    CompletableFuture<Boolean> there =
        key.map(variants::available).orElseGet(() -> variants.originalAvailable(request.sha256()));
    later(
        routing,
        there,
        present -> {
          if (!present) {
            throw EdgeException.missing(request.sha256());
          }
          response.notModified();
        });
  }

  /** Back to the request's own event loop, at once when the answer is there already. */
  private static <T> void later(
      RoutingContext routing, CompletableFuture<T> future, Consumer<T> then) {
    if (future.isDone()) {
      finish(routing, future, then);
      return;
    }
    Context context = routing.vertx().getOrCreateContext();
    future.whenComplete(
        (value, error) -> context.runOnContext(nothing -> finish(routing, future, then)));
  }

  private static <T> void finish(
      RoutingContext routing, CompletableFuture<T> done, Consumer<T> then) {
    HttpServerRequest http = routing.request();
    try {
      then.accept(done.join());
    } catch (EdgeException problem) {
      Problems.send(http, problem);
    } catch (CompletionException e) {
      Problems.send(http, problemOf(e.getCause()));
    } catch (RuntimeException fault) {
      LOG.error("an image request failed", fault);
      Problems.send(http, EdgeException.failed());
    }
  }

  private static EdgeException problemOf(Throwable cause) {
    if (cause instanceof EdgeException problem) {
      return problem;
    }
    if (cause instanceof java.util.concurrent.TimeoutException) {
      return EdgeException.busy();
    }
    LOG.error("an image request failed", cause);
    return EdgeException.failed();
  }
}
