package dev.tintype.edge.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.tintype.edge.url.ImageRequest;
import dev.tintype.edge.variant.Served;
import dev.tintype.edge.variant.VariantKey;
import dev.tintype.edge.variant.VariantService;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.List;
import java.util.Optional;

/**
 * Answers again what was answered a moment ago. A URL whose variant was sent from memory is
 * remembered with everything that was found out about it (its signature fits, it is canonical, this
 * is its key), so that the next one costs two look-ups instead of an HMAC, a parse and a hash. The
 * picture itself stays in the memory cache alone: what is evicted or purged there takes the long
 * way. Nothing that depends on the time of day or on other headers comes this way: expiring URLs,
 * ranges and validators do not.
 */
final class HotPath {
  /** URLs that are remembered; about half a kilobyte each. */
  private static final int URLS_MAX = 16_384;

  /** A longer Accept header takes the long way. */
  private static final int ACCEPT_CHARS_MAX = 256;

  /** Request headers that change the answer. */
  private static final List<CharSequence> CHANGING =
      List.of(
          HttpHeaders.createOptimized("range"),
          HttpHeaders.createOptimized("if-none-match"),
          HttpHeaders.createOptimized("if-match"),
          HttpHeaders.createOptimized("save-data"),
          HttpHeaders.createOptimized("dpr"),
          HttpHeaders.createOptimized("sec-ch-dpr"),
          HttpHeaders.createOptimized("width"),
          HttpHeaders.createOptimized("sec-ch-width"));

  private static final CharSequence CACHE_STATUS = HttpHeaders.createOptimized("cache-status");
  private static final CharSequence SERVER_TIMING = HttpHeaders.createOptimized("server-timing");
  private static final CharSequence CONTENT_TYPE_OPTIONS =
      HttpHeaders.createOptimized("x-content-type-options");
  private static final CharSequence RESOURCE_POLICY =
      HttpHeaders.createOptimized("cross-origin-resource-policy");
  private static final CharSequence BYTES = HttpHeaders.createOptimized("bytes");
  private static final CharSequence NOSNIFF = HttpHeaders.createOptimized("nosniff");
  private static final CharSequence CROSS_ORIGIN = HttpHeaders.createOptimized("cross-origin");
  private static final CharSequence IMMUTABLE =
      HttpHeaders.createOptimized(ImageResponse.IMMUTABLE);
  private static final CharSequence HIT = HttpHeaders.createOptimized(ImageResponse.MEMORY_HIT);
  private static final CharSequence FROM_MEMORY = HttpHeaders.createOptimized("cache;desc=memory");
  private static final CharSequence ACCEPT = HttpHeaders.ACCEPT;

  private final VariantService variants;
  private final DateField date;
  private final Cache<Asked, Known> known = Caffeine.newBuilder().maximumSize(URLS_MAX).build();

  /**
   * What an answer depends on.
   *
   * @param accept the header for {@code auto}, empty for URLs that name their format
   */
  private record Asked(String uri, String accept) {}

  /** What was found out, as it stands in the answer. */
  private record Known(
      String id, CharSequence etag, CharSequence type, CharSequence length, boolean varies) {}

  HotPath(VariantService variants, DateField date) {
    this.variants = variants;
    this.date = date;
  }

  /** Whether the request was answered; if not, nothing has happened to it. */
  boolean answers(HttpServerRequest http) {
    if (!http.method().equals(HttpMethod.GET) || !http.uri().startsWith(ImageRequest.PREFIX)) {
      return false;
    }
    Optional<Asked> asked = asked(http);
    Known found = asked.isEmpty() ? null : known.getIfPresent(asked.get());
    if (found == null) {
      return false;
    }
    Optional<Buffer> bytes = variants.inMemory(found.id);
    bytes.ifPresent(body -> send(http.response(), found, body));
    return bytes.isPresent();
  }

  /** Remembers a URL whose variant has just been sent whole, from memory. */
  void learn(HttpServerRequest http, ImageRequest request, VariantKey key, Served served) {
    boolean lasting =
        served.source() == Served.Source.MEMORY
            && request.operations().expiresS().isEmpty()
            && http.method().equals(HttpMethod.GET);
    if (lasting) {
      asked(http)
          .ifPresent(
              asked ->
                  known.put(
                      asked,
                      new Known(
                          key.id(),
                          HttpHeaders.createOptimized("\"" + key.id() + "\""),
                          HttpHeaders.createOptimized(key.spec().format().mediaType()),
                          HttpHeaders.createOptimized(Long.toString(served.body().size())),
                          request.format().isEmpty())));
    }
  }

  /** Empty for what must take the long way. */
  private static Optional<Asked> asked(HttpServerRequest http) {
    MultiMap headers = http.headers();
    for (CharSequence name : CHANGING) {
      if (headers.contains(name)) {
        return Optional.empty();
      }
    }
    String uri = http.uri();
    if (!uri.endsWith("." + ImageRequest.AUTO)) {
      return Optional.of(new Asked(uri, ""));
    }
    List<String> accepts = headers.getAll(ACCEPT);
    boolean plain = accepts.size() == 1 && accepts.getFirst().length() <= ACCEPT_CHARS_MAX;
    return plain ? Optional.of(new Asked(uri, accepts.getFirst())) : Optional.empty();
  }

  private void send(HttpServerResponse response, Known found, Buffer body) {
    MultiMap headers = response.headers();
    headers.set(HttpHeaders.DATE, date.now());
    headers.set(HttpHeaders.ETAG, found.etag);
    headers.set(HttpHeaders.CACHE_CONTROL, IMMUTABLE);
    headers.set(CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.set(RESOURCE_POLICY, CROSS_ORIGIN);
    if (found.varies) {
      headers.set(HttpHeaders.VARY, "Accept");
    }
    headers.set(HttpHeaders.CONTENT_TYPE, found.type);
    headers.set(HttpHeaders.ACCEPT_RANGES, BYTES);
    headers.set(CACHE_STATUS, HIT);
    headers.set(SERVER_TIMING, FROM_MEMORY);
    headers.set(HttpHeaders.CONTENT_LENGTH, found.length);
    response.end(body);
  }
}
