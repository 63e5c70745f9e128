package dev.tintype.edge.http;

import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.ImageRequest;
import dev.tintype.edge.variant.Served;
import dev.tintype.edge.variant.VariantKey;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The answer to one request for an image. Everything at a content-addressed URL is immutable; a URL
 * that expires may be kept by the client alone, and no longer than it is good.
 *
 * @param http the request
 * @param request what was asked
 * @param format what is sent; for {@code auto} the outcome of negotiation
 * @param etag strong, quoted
 * @param hints whether the choice depended on client hints too
 * @param tags whether caches in front are told the original's name
 * @param nowS seconds of Unix time
 * @param startNs when the request came in
 * @param temporary whether a better picture is made meanwhile: this one is good for some seconds
 */
record ImageResponse(
    HttpServerRequest http,
    ImageRequest request,
    ImageFormat format,
    String etag,
    boolean hints,
    boolean tags,
    long nowS,
    long startNs,
    boolean temporary) {
  private static final long YEAR_S = 31_536_000;

  /** How long what is sent in a better picture's place is good. */
  private static final long TEMPORARY_S = 10;

  /** And how long it may be sent on by a cache that fetches the better one meanwhile. */
  private static final long STALE_S = 60;

  private static final double NS_PER_MS = 1e6;

  /** The name of this cache in Cache-Status. */
  private static final String CACHE = "tintype";

  static final CharSequence SERVER_TIMING = HttpHeaders.createOptimized("server-timing");

  private static final CharSequence CACHE_STATUS = HttpHeaders.createOptimized("cache-status");
  private static final CharSequence CONTENT_TYPE_OPTIONS =
      HttpHeaders.createOptimized("x-content-type-options");
  private static final CharSequence RESOURCE_POLICY =
      HttpHeaders.createOptimized("cross-origin-resource-policy");
  private static final CharSequence ACCEPT_CH = HttpHeaders.createOptimized("accept-ch");
  private static final CharSequence SURROGATE_KEY = HttpHeaders.createOptimized("surrogate-key");
  private static final CharSequence CACHE_TAG = HttpHeaders.createOptimized("cache-tag");
  private static final CharSequence BYTES = HttpHeaders.createOptimized("bytes");
  private static final CharSequence NOSNIFF = HttpHeaders.createOptimized("nosniff");
  private static final CharSequence CROSS_ORIGIN = HttpHeaders.createOptimized("cross-origin");
  private static final CharSequence HINTS = HttpHeaders.createOptimized(ClientHints.NAMES);
  private static final CharSequence ACCEPT = HttpHeaders.createOptimized("Accept");
  private static final CharSequence ACCEPT_AND_HINTS =
      HttpHeaders.createOptimized("Accept, " + ClientHints.NAMES);

  /** Cache-Control of what never changes. */
  private static final CharSequence IMMUTABLE =
      HttpHeaders.createOptimized("public, max-age=" + YEAR_S + ", immutable");

  private static final CharSequence TEMPORARY =
      HttpHeaders.createOptimized(
          "public, max-age=" + TEMPORARY_S + ", stale-while-revalidate=" + STALE_S);

  /** Cache-Status of what was in memory. */
  private static final CharSequence MEMORY_HIT =
      HttpHeaders.createOptimized(CACHE + "; hit; detail=memory");

  /** The same with another variant in its place, for as long as this one is not there. */
  ImageResponse instead(VariantKey other) {
    return new ImageResponse(
        http, request, other.spec().format(), quoted(other.id()), hints, tags, nowS, startNs, true);
  }

  /** An entity tag of that text. */
  static String quoted(String tag) {
    return '"' + tag + '"';
  }

  /**
   * Sends the image, or the part of it that was asked for.
   *
   * @return done when it is on its way, or cannot be sent
   */
  Future<Void> send(Served served, boolean collapsed) {
    HttpServerResponse response = http.response();
    if (response.closed()) {
      return Future.succeededFuture();
    }
    long size = served.body().size();
    Optional<ByteRange> range = range(size);
    put(fields(served.source(), collapsed));
    response.putHeader(SERVER_TIMING, serverTiming(served));
    range.ifPresent(
        part -> {
          response.setStatusCode(206);
          response.putHeader(
              HttpHeaders.CONTENT_RANGE, "bytes " + part.first() + "-" + part.last() + "/" + size);
        });
    long offset = range.map(ByteRange::first).orElse(0L);
    long length = range.map(ByteRange::length).orElse(size);
    response.putHeader(HttpHeaders.CONTENT_LENGTH, Long.toString(length));
    if (http.method().equals(HttpMethod.HEAD)) {
      return response.end();
    }
    return switch (served.body()) {
      case Served.InMemory(Buffer bytes) ->
          response.end(length == size ? bytes : bytes.slice((int) offset, (int) (offset + length)));
      case Served.InFile file ->
          response
              .sendFile(file.path().toString(), offset, length)
              .onFailure(gone -> evicted(response));
    };
  }

  /** A file that was evicted between finding and sending: the next request makes it anew. */
  private void evicted(HttpServerResponse response) {
    if (!response.headWritten()) {
      String date = response.headers().get(HttpHeaders.DATE);
      response.headers().clear();
      response.putHeader(HttpHeaders.DATE, date);
      Problems.send(http, EdgeException.busy());
    }
  }

  /** Says that the client's copy is good. */
  void notModified() {
    put(common());
    http.response().putHeader(CACHE_STATUS, CACHE + "; hit; detail=validator");
    http.response().setStatusCode(304).end();
  }

  private Optional<ByteRange> range(long size) {
    boolean asked =
        http.method().equals(HttpMethod.GET)
            && EntityTags.rangeAllowed(http.getHeader("If-Range"), etag);
    return asked ? ByteRange.parse(http.getHeader("Range"), size) : Optional.empty();
  }

  /** One line of the answer's head; its text is in the form in which it is sent. */
  record Field(CharSequence name, CharSequence value) {}

  /** What the whole picture is sent with, but for its length, the date and what it took. */
  List<Field> fields(Served.Source source, boolean collapsed) {
    List<Field> fields = common();
    fields.add(
        new Field(HttpHeaders.CONTENT_TYPE, HttpHeaders.createOptimized(format.mediaType())));
    fields.add(new Field(HttpHeaders.ACCEPT_RANGES, BYTES));
    fields.add(new Field(CACHE_STATUS, cacheStatus(source, collapsed)));
    return fields;
  }

  /** What 200, 206 and 304 have in common (RFC 9110, section 15.4.5). */
  private List<Field> common() {
    List<Field> fields = new ArrayList<>();
    fields.add(new Field(HttpHeaders.ETAG, HttpHeaders.createOptimized(etag)));
    fields.add(new Field(HttpHeaders.CACHE_CONTROL, cacheControl()));
    fields.add(new Field(CONTENT_TYPE_OPTIONS, NOSNIFF));
    fields.add(new Field(RESOURCE_POLICY, CROSS_ORIGIN));
    if (request.format().isEmpty()) {
      fields.add(new Field(HttpHeaders.VARY, hints ? ACCEPT_AND_HINTS : ACCEPT));
    }
    if (hints) {
      fields.add(new Field(ACCEPT_CH, HINTS));
    }
    if (tags) {
      CharSequence tag = HttpHeaders.createOptimized(request.sha256());
      fields.add(new Field(SURROGATE_KEY, tag));
      fields.add(new Field(CACHE_TAG, tag));
    }
    return fields;
  }

  private void put(List<Field> fields) {
    HttpServerResponse response = http.response();
    fields.forEach(field -> response.putHeader(field.name, field.value));
  }

  private CharSequence cacheControl() {
    var expires = request.operations().expiresS();
    long most = temporary ? TEMPORARY_S : YEAR_S;
    if (expires.isPresent()) {
      return "private, max-age="
          + Math.clamp(expires.getAsLong() - nowS, 0, most)
          + (temporary ? "" : ", immutable");
    }
    return temporary ? TEMPORARY : IMMUTABLE;
  }

  /** RFC 9211. */
  private static CharSequence cacheStatus(Served.Source source, boolean collapsed) {
    return switch (source) {
      case MEMORY -> MEMORY_HIT;
      case DISK -> CACHE + "; hit; detail=disk";
      case STORE -> CACHE + "; hit; detail=store";
      case ENCODED -> CACHE + "; fwd=miss; " + (collapsed ? "collapsed" : "stored");
      case ORIGINAL -> CACHE + "; fwd=bypass; detail=original";
    };
  }

  private String serverTiming(Served served) {
    double totalMs = (System.nanoTime() - startNs) / NS_PER_MS;
    String total = "total;dur=" + millis(totalMs);
    return served.source() == Served.Source.ENCODED
        ? "queue;dur="
            + millis(served.queueMs())
            + ", encode;dur="
            + millis(served.encodeMs())
            + ", "
            + total
        : "cache;desc=" + served.source().name().toLowerCase(Locale.ROOT) + ", " + total;
  }

  private static String millis(double ms) {
    return Double.toString(Math.round(ms * 100) / 100.0);
  }
}
