package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.Decoded;
import dev.tintype.edge.vips.ImageSniffer;
import dev.tintype.edge.vips.Loaded;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * How the edge behaves as an origin and as a cache, by the sections of RFC 9110 (semantics), 9111
 * (caching) and 9211 (Cache-Status): the same list against the edge itself, and through real nginx
 * and Varnish with the configurations that docs/edge-caches.md shows.
 */
final class CacheBehaviourTest {

  /** The edge itself. */
  @Nested
  @TestInstance(Lifecycle.PER_CLASS)
  final class Alone extends Behaviour {
    @Override
    Front front(Path folder, int edgePort) {
      return Front.none(edgePort);
    }
  }

  /** nginx in front. */
  @Nested
  @TestInstance(Lifecycle.PER_CLASS)
  final class BehindNginx extends Behaviour {
    @Override
    Front front(Path folder, int edgePort) throws Exception {
      return Front.nginx(folder, edgePort);
    }
  }

  /** Varnish in front. */
  @Nested
  @TestInstance(Lifecycle.PER_CLASS)
  final class BehindVarnish extends Behaviour {
    @Override
    Front front(Path folder, int edgePort) throws Exception {
      return Front.varnish(folder, edgePort);
    }
  }

  /** The list. */
  abstract static class Behaviour {
    private static final DateTimeFormatter HTTP_DATE = DateTimeFormatter.RFC_1123_DATE_TIME;
    private static final AtomicInteger WIDTH = new AtomicInteger(16);

    private final HttpClient client =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private EdgeServer edge;
    private Front front;
    private byte[] png;
    private String sha;

    abstract Front front(Path folder, int edgePort) throws Exception;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
      Loaded.vips();
      edge =
          new EdgeServer(
              folder.resolve("edge"),
              config -> config.with(new EdgeConfig.Delivery(Set.of(), true)),
              originals -> originals);
      front = front(Files.createDirectories(folder.resolve("front")), edge.port());
      png = Pictures.png(200, 150);
      sha = edge.put(png);
    }

    @AfterAll
    void stop() throws Exception {
      client.close();
      if (front != null) {
        front.close();
      }
      edge.close();
    }

    private boolean cached() {
      return front.process() != null;
    }

    /** A URL that nobody has asked for. */
    private String fresh(ImageFormat format) {
      return URLS.variant(sha, Operations.none().width(WIDTH.incrementAndGet()), format);
    }

    private String fresh() {
      return fresh(ImageFormat.WEBP);
    }

    private HttpResponse<byte[]> send(String method, String path, String... headers)
        throws Exception {
      return client.send(request(method, path, headers), HttpResponse.BodyHandlers.ofByteArray());
    }

    private HttpRequest request(String method, String path, String... headers) {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + front.port() + path))
              .timeout(Duration.ofSeconds(20))
              .method(method, HttpRequest.BodyPublishers.noBody());
      for (int i = 0; i < headers.length; i += 2) {
        request.header(headers[i], headers[i + 1]);
      }
      return request.build();
    }

    private HttpResponse<byte[]> get(String path, String... headers) throws Exception {
      return send("GET", path, headers);
    }

    private static String header(HttpResponse<?> response, String name) {
      return String.join(", ", response.headers().allValues(name));
    }

    /** How often the edge is asked while something runs. */
    private int asked(Action action) throws Exception {
      int before = edge.requests.get();
      action.run();
      return edge.requests.get() - before;
    }

    private interface Action {
      void run() throws Exception;
    }

    // RFC 9110, section 6.6.1: an origin with a clock sends Date with 2xx, 3xx and 4xx.
    @Test
    void everyAnswerHasADate() throws Exception {
      String path = fresh();
      String etag = header(get(path), "etag");
      for (HttpResponse<byte[]> response :
          List.of(
              get(path),
              get(path, "If-None-Match", etag),
              get(path, "Range", "bytes=0-0"),
              get(path + "?x"),
              get(path.replace("w:", "w:0")),
              send("HEAD", path))) {
        String date = header(response, "date");
        assertThat(date).as("%s", response).isNotEmpty().doesNotContain(", ,");
        assertThat(ZonedDateTime.parse(date, HTTP_DATE)).isNotNull();
      }
    }

    // RFC 9110, section 8.8.3: a strong validator, the same with 200, 206, 304 and HEAD.
    @Test
    void theValidatorIsStrongAndTheSameEverywhere() throws Exception {
      String path = fresh();
      String etag = header(get(path), "etag");
      assertThat(etag).matches("\"[!#-~]+\"");
      assertThat(header(get(path), "etag")).isEqualTo(etag);
      assertThat(header(get(path, "Range", "bytes=1-2"), "etag")).isEqualTo(etag);
      assertThat(header(get(path, "If-None-Match", etag), "etag")).isEqualTo(etag);
      assertThat(header(send("HEAD", path), "etag")).isEqualTo(etag);
    }

    // RFC 9110, section 13.1.2: weak comparison, lists, *.
    @Test
    void ifNoneMatchIs304WithWhatACacheUpdates() throws Exception {
      String path = fresh();
      String etag = header(get(path), "etag");
      // Varnish compares with the whole of a list: a needless 200, never a wrong 304.
      String list = front.name().equals("varnish") ? etag : "\"other\", " + etag;
      for (String tags : List.of(etag, "W/" + etag, list)) {
        HttpResponse<byte[]> response = get(path, "If-None-Match", tags);
        assertThat(response.statusCode()).as(tags).isEqualTo(304);
        assertThat(response.body()).isEmpty();
        // Section 15.4.5.
        assertThat(header(response, "cache-control")).contains("max-age=31536000");
      }
      for (String tags : List.of("\"other\"", etag.replace("\"", ""), "\"\"")) {
        assertThat(get(path, "If-None-Match", tags).statusCode()).as(tags).isEqualTo(200);
      }
    }

    // RFC 9110, section 13.1.3: without Last-Modified the condition is ignored, and so is no date.
    @ParameterizedTest
    @ValueSource(
        strings = {
          "Thu, 01 Jan 1970 00:00:00 GMT",
          "Fri, 31 Dec 9999 23:59:59 GMT",
          "Mon, 32 Nov 2026 25:61:61 GMT",
          "yesterday",
          "0",
          "-1"
        })
    void ifModifiedSinceChangesNothing(String date) throws Exception {
      String path = fresh();
      assertThat(get(path, "If-Modified-Since", date).statusCode()).isEqualTo(200);
      assertThat(get(path, "If-Modified-Since", date).statusCode()).isEqualTo(200);
    }

    // RFC 9110, section 13.2.2: If-None-Match decides, If-Modified-Since is not looked at.
    @Test
    void ifNoneMatchWinsOverDates() throws Exception {
      String path = fresh();
      String etag = header(get(path), "etag");
      String future = "Fri, 31 Dec 9999 23:59:59 GMT";
      assertThat(get(path, "If-None-Match", "\"x\"", "If-Modified-Since", future).statusCode())
          .isEqualTo(200);
      // nginx wants the date to fit too, which none does: a needless 200 to who asks with a date
      // that
      // we never gave.
      assertThat(get(path, "If-None-Match", etag, "If-Modified-Since", "junk").statusCode())
          .isEqualTo(front.name().equals("nginx") ? 200 : 304);
    }

    // RFC 9110, sections 14.2, 15.3.7, 15.5.17.
    @Test
    void rangesOfBytes() throws Exception {
      String path = fresh(ImageFormat.PNG);
      byte[] whole = get(path).body();
      int size = whole.length;
      int[][] parts = {{0, 0}, {1, 9}, {size - 5, size - 1}};
      for (int[] part : parts) {
        HttpResponse<byte[]> response = get(path, "Range", "bytes=" + part[0] + "-" + part[1]);
        assertThat(response.statusCode()).isEqualTo(206);
        assertThat(header(response, "content-range"))
            .isEqualTo("bytes " + part[0] + "-" + part[1] + "/" + size);
        assertThat(response.body()).isEqualTo(Arrays.copyOfRange(whole, part[0], part[1] + 1));
      }
      assertThat(get(path, "Range", "bytes=-4").body())
          .isEqualTo(Arrays.copyOfRange(whole, size - 4, size));
      assertThat(get(path, "Range", "bytes=" + (size - 2) + "-").body()).hasSize(2);
      HttpResponse<byte[]> beyond = get(path, "Range", "bytes=" + size + "-");
      assertThat(beyond.statusCode()).isEqualTo(416);
      assertThat(header(beyond, "content-range")).isEqualTo("bytes */" + size);
    }

    // RFC 9110, section 14.2: what cannot be read is ignored.
    @ParameterizedTest
    @ValueSource(strings = {"pages=1-2", "bytes", "bytes=", "bytes=x-y", "bytes=1-2x"})
    void aRangeThatIsNoneIsTheWhole(String range) throws Exception {
      String path = fresh();
      int size = get(path).body().length;
      HttpResponse<byte[]> response = get(path, "Range", range);
      if (front.name().equals("nginx") && response.statusCode() == 416) {
        // nginx's own reading of a range of bytes without numbers, which nothing configures away.
        assertThat(range).matches("bytes=.*[x=].*");
        return;
      }
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(response.body()).hasSize(size);
    }

    // RFC 9110, section 13.1.5: strong comparison; a weak tag or a date never fits.
    @Test
    void ifRangeTakesThePartOnlyOfTheSamePicture() throws Exception {
      String path = fresh();
      String etag = header(get(path), "etag");
      assertThat(get(path, "Range", "bytes=0-1", "If-Range", etag).statusCode()).isEqualTo(206);
      for (String other : List.of("W/" + etag, "\"x\"", "Thu, 01 Jan 1970 00:00:00 GMT")) {
        assertThat(get(path, "Range", "bytes=0-1", "If-Range", other).statusCode())
            .as(other)
            .isEqualTo(200);
      }
    }

    // RFC 9110, section 9.3.2.
    @Test
    void headIsGetWithoutTheBody() throws Exception {
      String path = fresh();
      HttpResponse<byte[]> head = send("HEAD", path);
      HttpResponse<byte[]> get = get(path);
      assertThat(head.statusCode()).isEqualTo(200);
      assertThat(head.body()).isEmpty();
      for (String name : List.of("content-length", "content-type", "etag", "cache-control")) {
        assertThat(header(head, name)).as(name).isEqualTo(header(get, name)).isNotEmpty();
      }
      assertThat(send("HEAD", path, "Range", "bytes=0-1").body()).isEmpty();
    }

    // RFC 9110, section 15.5.6; RFC 9111, section 4.4: an unsafe method is not answered from a
    // cache.
    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
    void otherMethodsAreRefused(String method) throws Exception {
      String path = fresh();
      get(path);
      HttpResponse<byte[]> response = send(method, path);
      assertThat(response.statusCode()).isEqualTo(405);
      assertThat(header(response, "allow")).isEqualTo("GET, HEAD");
      assertThat(get(path).statusCode()).isEqualTo(200);
    }

    // RFC 9111, section 3: public and with a lifetime, so it is kept; section 4: and used.
    @Test
    void aCacheInFrontAsksOnce() throws Exception {
      assumeTrue(cached(), "only with a cache in front");
      String path = fresh();
      List<HttpResponse<byte[]>> answers = new ArrayList<>();
      int asked =
          asked(
              () -> {
                for (int i = 0; i < 4; i++) {
                  // What browsers send along must not split the cache.
                  answers.add(
                      get(
                          path,
                          "Cookie",
                          "a=" + i,
                          "Authorization",
                          "Basic " + i,
                          "Accept",
                          "x/" + i,
                          "User-Agent",
                          "u" + i));
                }
              });
      assertThat(asked).isEqualTo(1);
      assertThat(answers).extracting(HttpResponse::statusCode).containsOnly(200);
      assertThat(header(answers.get(0), "cache-status")).contains("tintype; fwd=miss");
      assertThat(header(answers.get(3), "cache-status")).endsWith(front.name() + "; hit");
      if (front.name().equals("varnish")) {
        // RFC 9111, section 5.1; nginx has no way to send it.
        assertThat(Integer.parseInt(header(answers.get(3), "age"))).isBetween(0, 60);
      }
    }

    // RFC 9111, section 4: requests for the same thing are collapsed.
    @Test
    void aCacheInFrontCollapsesTheCrowd() throws Exception {
      assumeTrue(cached(), "only with a cache in front");
      String path = fresh();
      int asked =
          asked(
              () -> {
                List<CompletableFuture<HttpResponse<byte[]>>> all =
                    IntStream.range(0, 40)
                        .mapToObj(
                            i ->
                                client.sendAsync(
                                    request("GET", path), HttpResponse.BodyHandlers.ofByteArray()))
                        .toList();
                for (CompletableFuture<HttpResponse<byte[]>> each : all) {
                  assertThat(each.get().statusCode()).isEqualTo(200);
                }
              });
      assertThat(asked).isEqualTo(1);
    }

    // RFC 9110, section 12.5.5; RFC 9111, section 4.1.
    @Test
    void autoIsKeptOncePerFormatAndVariesOnAccept() throws Exception {
      String path = URLS.auto(sha, Operations.none().width(WIDTH.incrementAndGet()));
      int asked =
          asked(
              () -> {
                for (int i = 0; i < 2; i++) {
                  assertFormat(ImageFormat.AVIF, path, "image/avif,image/webp,image/*,*/*;q=0.8");
                  assertFormat(ImageFormat.AVIF, path, "image/avif,image/apng,*/*;q=0." + i);
                  assertFormat(ImageFormat.WEBP, path, "image/webp,image/png,image/*;q=0." + i);
                  assertFormat(ImageFormat.WEBP, path, "image/avif;q=0,image/webp");
                  assertFormat(ImageFormat.JPEG, path, "*/*;q=0." + i);
                  assertFormat(ImageFormat.JPEG, path, "text/html,image/webp;q=0.0,*/*");
                }
              });
      assertThat(asked).isEqualTo(cached() ? 3 : 12);
    }

    // RFC 9111, section 4.1: the edge varies on client hints, so none may get past a cache that
    // does
    // not have them in its key.
    @Test
    void oneReadersHintsChangeNobodyElsesPicture() throws Exception {
      int width = 15;
      String path = URLS.auto(sha, Operations.none().width(width));
      HttpResponse<byte[]> dense = get(path, "Accept", "image/webp", "Sec-CH-DPR", "3");
      HttpResponse<byte[]> saving = get(path, "Accept", "image/webp", "Save-Data", "on");
      HttpResponse<byte[]> plain = get(path, "Accept", "image/webp");
      assertThat(Decoded.of(plain.body()).width()).isEqualTo(width);
      assertThat(Decoded.of(saving.body()).width()).isEqualTo(width);
      assertThat(Decoded.of(dense.body()).width()).isEqualTo(cached() ? width : 3 * width);
      if (cached()) {
        assertThat(saving.body()).isEqualTo(plain.body());
        get(fresh(), "Cookie", "a=b", "Authorization", "Basic x", "Sec-CH-DPR", "2");
        assertThat(edge.headers)
            .doesNotContain("cookie", "authorization", "save-data", "sec-ch-dpr");
      }
    }

    private void assertFormat(ImageFormat format, String path, String accept) throws Exception {
      HttpResponse<byte[]> response = get(path, "Accept", accept);
      assertThat(ImageSniffer.format(response.body())).as(accept).contains(format);
      assertThat(header(response, "vary")).contains("Accept");
      assertThat(header(response, "content-type")).isEqualTo(format.mediaType());
    }

    // RFC 9111, section 5.2.2.7: private is for the client alone.
    @Test
    void anExpiringUrlIsKeptByNobodyInBetween() throws Exception {
      String path =
          URLS.variant(
              sha,
              Operations.none()
                  .width(WIDTH.incrementAndGet())
                  .expires(EdgeServer.NOW.plusSeconds(60)),
              ImageFormat.WEBP);
      int asked =
          asked(
              () -> {
                assertThat(header(get(path), "cache-control")).startsWith("private, max-age=60");
                assertThat(get(path).statusCode()).isEqualTo(200);
              });
      assertThat(asked).isEqualTo(2);
    }

    // RFC 9111, section 5.2.2.5: no-store is stored nowhere, so a refusal cannot outlive its cause.
    @Test
    void refusalsAreNotKept() throws Exception {
      String path = fresh().replace("w:", "h:");
      int asked =
          asked(
              () -> {
                assertThat(get(path).statusCode()).isEqualTo(403);
                assertThat(header(get(path), "cache-control")).isEqualTo("no-store");
              });
      assertThat(asked).isEqualTo(2);
    }

    // RFC 9111, section 4: a short negative answer spares the origin.
    @Test
    void whatIsMissingIsKeptForSeconds() throws Exception {
      String path =
          URLS.variant(
              Pictures.sha256(new byte[] {(byte) WIDTH.incrementAndGet(), 7}),
              Operations.none(),
              ImageFormat.WEBP);
      int asked =
          asked(
              () -> {
                for (int i = 0; i < 3; i++) {
                  HttpResponse<byte[]> response = get(path);
                  assertThat(response.statusCode()).isEqualTo(404);
                  assertThat(header(response, "cache-control")).isEqualTo("public, max-age=5");
                }
              });
      assertThat(asked).isEqualTo(cached() ? 1 : 3);
    }

    // RFC 9110, section 15.4.2: a redirect to the canonical URL, and never kept in its place.
    @Test
    void aRedirectDoesNotTakeThePlaceOfThePicture() throws Exception {
      String path = fresh();
      for (String other : List.of(path.replace(":", "%3A"), path.replace(",", "%2C") + "?v=1")) {
        HttpResponse<byte[]> redirect = get(other);
        assertThat(redirect.statusCode()).as(other).isEqualTo(301);
        assertThat(header(redirect, "location")).endsWith(path);
        assertThat(get(path).statusCode()).as("after %s", other).isEqualTo(200);
      }
    }

    // RFC 9111, section 7.1: what a client adds must not reach another.
    @Test
    void whatAClientAddsReachesNobodyElse() throws Exception {
      String path = fresh();
      HttpResponse<byte[]> first =
          get(path, "X-Forwarded-Host", "evil.example", "X-Original-URL", "/evil", "Cookie", "a=b");
      HttpResponse<byte[]> second = get(path);
      for (HttpResponse<byte[]> response : List.of(first, second)) {
        assertThat(response.headers().map().toString()).doesNotContain("evil", "a=b");
        assertThat(header(response, "set-cookie")).isEmpty();
        assertThat(header(response, "x-content-type-options")).isEqualTo("nosniff");
      }
    }

    // RFC 9111, section 4.2.4: stale, or in our case never stale, while the origin is away.
    @Test
    void whatIsInFrontOutlivesTheEdge(@TempDir Path other) throws Exception {
      assumeTrue(cached(), "only with a cache in front");
      String path = fresh();
      byte[] body = get(path).body();
      try (EdgeServer gone = new EdgeServer(other.resolve("edge"))) {
        String there = gone.put(png);
        String url = URLS.variant(there, Operations.none().width(9), ImageFormat.WEBP);
        Path folder = Files.createDirectories(other.resolve("front"));
        try (Front between = front(folder, gone.port())) {
          URI uri = URI.create("http://127.0.0.1:" + between.port() + url);
          HttpRequest request = HttpRequest.newBuilder(uri).build();
          byte[] before = client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body();
          gone.close();
          HttpResponse<byte[]> after =
              client.send(request, HttpResponse.BodyHandlers.ofByteArray());
          assertThat(after.statusCode()).isEqualTo(200);
          assertThat(after.body()).isEqualTo(before);
        }
      }
      assertThat(get(path).body()).isEqualTo(body);
    }
  }
}
