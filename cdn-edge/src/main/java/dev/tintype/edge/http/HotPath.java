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
 * picture itself stays in the memory cache alone: what is evicted there takes the long way. Nothing
 * that depends on the time of day or on other headers comes this way: expiring URLs, ranges and
 * validators do not.
 */
final class HotPath {
  /** URLs that are remembered; about a kilobyte each. */
  private static final int URLS_MAX = 16_384;

  /** A longer Accept header takes the long way. */
  private static final int ACCEPT_CHARS_MAX = 256;

  /** Request headers that change any answer. */
  private static final List<CharSequence> CHANGING =
      List.of(
          HttpHeaders.createOptimized("range"),
          HttpHeaders.createOptimized("if-none-match"),
          HttpHeaders.createOptimized("if-match"));

  /** Request headers that change what {@code auto} chooses, where client hints are looked at. */
  private static final List<CharSequence> HINTS =
      List.of(HttpHeaders.createOptimized("save-data"), HttpHeaders.createOptimized("sec-ch-dpr"));

  private static final CharSequence FROM_MEMORY = HttpHeaders.createOptimized("cache;desc=memory");

  private final VariantService variants;
  private final DateField date;
  private final boolean hints;
  private final Cache<Asked, Known> known = Caffeine.newBuilder().maximumSize(URLS_MAX).build();

  /**
   * What an answer depends on.
   *
   * @param accept the header for {@code auto}, empty for URLs that name their format
   */
  private record Asked(String uri, String accept) {}

  /** What was found out, as it stands in the answer. */
  private record Known(String id, List<ImageResponse.Field> fields) {}

  /**
   * Knows nothing yet.
   *
   * @param hints whether {@code auto} looks at client hints
   */
  HotPath(VariantService variants, DateField date, boolean hints) {
    this.variants = variants;
    this.date = date;
    this.hints = hints;
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
  void learn(ImageResponse response, VariantKey key, Served served) {
    HttpServerRequest http = response.http();
    boolean lasting =
        served.source() == Served.Source.MEMORY
            && !response.temporary()
            && response.request().operations().expiresS().isEmpty()
            && http.method().equals(HttpMethod.GET);
    if (lasting) {
      asked(http)
          .ifPresent(
              asked ->
                  known.put(asked, new Known(key.id(), response.fields(served.source(), false))));
    }
  }

  /** Empty for what must take the long way. */
  private Optional<Asked> asked(HttpServerRequest http) {
    MultiMap headers = http.headers();
    if (any(headers, CHANGING)) {
      return Optional.empty();
    }
    String uri = http.uri();
    if (!uri.endsWith("." + ImageRequest.AUTO)) {
      return Optional.of(new Asked(uri, ""));
    }
    if (hints && any(headers, HINTS)) {
      return Optional.empty();
    }
    List<String> accepts = headers.getAll(HttpHeaders.ACCEPT);
    boolean plain = accepts.size() == 1 && accepts.getFirst().length() <= ACCEPT_CHARS_MAX;
    return plain ? Optional.of(new Asked(uri, accepts.getFirst())) : Optional.empty();
  }

  private static boolean any(MultiMap headers, List<CharSequence> names) {
    for (CharSequence name : names) {
      if (headers.contains(name)) {
        return true;
      }
    }
    return false;
  }

  private void send(HttpServerResponse response, Known found, Buffer body) {
    MultiMap headers = response.headers();
    headers.set(HttpHeaders.DATE, date.now());
    for (ImageResponse.Field field : found.fields) {
      headers.set(field.name(), field.value());
    }
    headers.set(ImageResponse.SERVER_TIMING, FROM_MEMORY);
    headers.set(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length()));
    response.end(body);
  }
}
