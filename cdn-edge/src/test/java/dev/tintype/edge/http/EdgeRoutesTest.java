package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.ImageRequest;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.Preset;
import dev.tintype.edge.vips.Decoded;
import dev.tintype.edge.vips.ImageSniffer;
import dev.tintype.edge.vips.Loaded;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class EdgeRoutesTest {
  @TempDir static Path folder;
  private static EdgeServer edge;
  private static byte[] png;
  private static String sha;

  @BeforeAll
  static void start() throws Exception {
    Loaded.vips();
    edge = new EdgeServer(folder);
    png = Pictures.png(640, 480);
    sha = edge.put(png);
  }

  @AfterAll
  static void stop() throws Exception {
    edge.close();
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  private static void assertProblem(HttpResponse<byte[]> response, int status, String code) {
    assertThat(response.statusCode()).as(new String(response.body())).isEqualTo(status);
    assertThat(header(response, "content-type")).isEqualTo("application/problem+json");
    JsonObject problem = new JsonObject(new String(response.body()));
    assertThat(problem.getString("code")).isEqualTo(code);
    assertThat(problem.getInteger("status")).isEqualTo(status);
    assertThat(problem.getString("detail")).isNotBlank().doesNotContain(folder.toString());
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void aVariantComesWithEverythingThatACacheNeeds(ImageFormat format) throws Exception {
    String path = URLS.variant(sha, Operations.none().width(64), format);
    HttpResponse<byte[]> miss = edge.get(path);
    assertThat(miss.statusCode()).isEqualTo(200);
    assertThat(ImageSniffer.format(miss.body())).contains(format);
    assertThat(header(miss, "content-type")).isEqualTo(format.mediaType());
    assertThat(header(miss, "cache-control")).isEqualTo("public, max-age=31536000, immutable");
    assertThat(header(miss, "etag")).matches("\"[0-9a-f]{32}\"");
    assertThat(header(miss, "cache-status")).isEqualTo("tintype; fwd=miss; stored");
    assertThat(header(miss, "server-timing"))
        .matches("queue;dur=[\\d.]+, encode;dur=[\\d.]+, total;dur=[\\d.]+");
    assertThat(header(miss, "x-content-type-options")).isEqualTo("nosniff");
    assertThat(header(miss, "accept-ranges")).isEqualTo("bytes");
    assertThat(header(miss, "vary")).isEmpty();
    HttpResponse<byte[]> hit = edge.get(path);
    assertThat(header(hit, "cache-status")).isEqualTo("tintype; hit; detail=memory");
    assertThat(header(hit, "etag")).isEqualTo(header(miss, "etag"));
    assertThat(hit.body()).isEqualTo(miss.body());
  }

  @Test
  void autoSendsTheSmallestFormatThatTheClientReads() throws Exception {
    String path = URLS.auto(sha, Operations.of(Preset.THUMB));
    HttpResponse<byte[]> chrome =
        edge.get(path, "Accept", "image/avif,image/webp,image/*,*/*;q=0.8");
    HttpResponse<byte[]> safari = edge.get(path, "Accept", "image/webp,image/png,image/*;q=0.8");
    HttpResponse<byte[]> curl = edge.get(path, "Accept", "*/*");
    assertThat(ImageSniffer.format(chrome.body())).contains(ImageFormat.AVIF);
    assertThat(ImageSniffer.format(safari.body())).contains(ImageFormat.WEBP);
    assertThat(ImageSniffer.format(curl.body())).contains(ImageFormat.JPEG);
    assertThat(header(chrome, "vary")).isEqualTo("Accept");
    assertThat(header(chrome, "etag")).isNotEqualTo(header(safari, "etag"));
    // Another browser's header, and the URL that names the format, are the same variant: it is
    // there already.
    assertThat(header(edge.get(path, "Accept", "image/avif"), "cache-status")).contains("hit");
    HttpResponse<byte[]> named =
        edge.get(URLS.variant(sha, Operations.of(Preset.THUMB), ImageFormat.AVIF));
    assertThat(header(named, "cache-status")).contains("hit");
    assertThat(header(named, "vary")).isEmpty();
  }

  @Test
  void theOriginalComesByteForByte() throws Exception {
    HttpResponse<byte[]> response = edge.get(URLS.original(sha, ImageFormat.PNG));
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo(png);
    assertThat(header(response, "etag")).isEqualTo("\"" + sha + "\"");
    assertThat(header(response, "content-type")).isEqualTo("image/png");
    assertProblem(edge.get(URLS.original(sha, ImageFormat.JPEG)), 404, "edge.original.missing");
  }

  @ParameterizedTest
  @CsvSource({
    "bytes=0-0,0,0",
    "bytes=10-19,10,19",
    "bytes=100-,100,-1",
    "bytes=-7,-7,-1",
    "bytes=5-99999999,5,-1",
    "BYTES=1-2,1,2"
  })
  void aRangeIsThatPart(String range, int first, int last) throws Exception {
    for (String path :
        new String[] {
          URLS.original(sha, ImageFormat.PNG),
          URLS.variant(sha, Operations.none().width(80), ImageFormat.JPEG)
        }) {
      byte[] whole = edge.get(path).body();
      int from = first < 0 ? whole.length + first : first;
      int to = last < 0 ? whole.length - 1 : last;
      HttpResponse<byte[]> part = edge.get(path, "Range", range);
      assertThat(part.statusCode()).isEqualTo(206);
      assertThat(header(part, "content-range"))
          .isEqualTo("bytes " + from + "-" + to + "/" + whole.length);
      assertThat(part.body()).isEqualTo(Arrays.copyOfRange(whole, from, to + 1));
    }
  }

  @ParameterizedTest
  @CsvSource({"'bytes=0-1,4-5'", "bytes=5-2", "bytes=-", "pages=1-2", "bytes=a-b", "bytes"})
  void aRangeThatCannotBeReadIsIgnored(String range) throws Exception {
    HttpResponse<byte[]> response = edge.get(URLS.original(sha, ImageFormat.PNG), "Range", range);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo(png);
  }

  @Test
  void aRangeBeyondTheEndIs416AndIfRangeDecidesByTheValidator() throws Exception {
    String path = URLS.original(sha, ImageFormat.PNG);
    HttpResponse<byte[]> beyond = edge.get(path, "Range", "bytes=" + png.length + "-");
    assertProblem(beyond, 416, "edge.range");
    assertThat(header(beyond, "content-range")).isEqualTo("bytes */" + png.length);
    assertProblem(edge.get(path, "Range", "bytes=-0"), 416, "edge.range");
    assertThat(edge.get(path, "Range", "bytes=0-1", "If-Range", "\"" + sha + "\"").statusCode())
        .isEqualTo(206);
    assertThat(edge.get(path, "Range", "bytes=0-1", "If-Range", "\"other\"").statusCode())
        .isEqualTo(200);
    assertThat(edge.get(path, "Range", "bytes=0-1", "If-Range", "W/\"" + sha + "\"").statusCode())
        .isEqualTo(200);
  }

  @Test
  void aGoodValidatorIs304WithoutAnEncode() throws Exception {
    String path = URLS.auto(sha, Operations.none().width(90));
    HttpResponse<byte[]> first = edge.get(path);
    String etag = header(first, "etag");
    for (String tags : new String[] {etag, "W/" + etag, "\"x\", " + etag, "*"}) {
      HttpResponse<byte[]> response = edge.get(path, "If-None-Match", tags);
      assertThat(response.statusCode()).as(tags).isEqualTo(304);
      assertThat(response.body()).isEmpty();
      assertThat(header(response, "etag")).isEqualTo(etag);
      assertThat(header(response, "cache-control")).contains("immutable");
      assertThat(header(response, "vary")).isEqualTo("Accept");
    }
    assertThat(edge.get(path, "If-None-Match", "\"x\"").statusCode()).isEqualTo(200);
    long before = edge.routes.encodes();
    // Never made here, but the client's copy, from another edge, is known to be good by its name
    // alone.
    String cold = URLS.variant(sha, Operations.none().width(91), ImageFormat.WEBP);
    assertThat(edge.get(cold, "If-None-Match", "*").statusCode()).isEqualTo(304);
    assertThat(edge.routes.encodes()).isEqualTo(before);
  }

  @Test
  void headIsGetWithoutTheBody() throws Exception {
    for (String path :
        new String[] {
          URLS.original(sha, ImageFormat.PNG),
          URLS.variant(sha, Operations.none().width(70), ImageFormat.WEBP)
        }) {
      HttpResponse<byte[]> head = edge.head(path);
      HttpResponse<byte[]> get = edge.get(path);
      assertThat(head.statusCode()).isEqualTo(200);
      assertThat(head.body()).isEmpty();
      for (String name :
          new String[] {
            "content-length", "content-type", "etag", "cache-control", "accept-ranges"
          }) {
        assertThat(header(head, name)).as(name).isEqualTo(header(get, name)).isNotEmpty();
      }
    }
    assertThat(edge.head("/i/k1.x/full/" + sha + ".png").statusCode()).isEqualTo(403);
  }

  @Test
  void aUrlThatIsNotCanonicalRedirects() throws Exception {
    String unsigned = "w:064,h:64,fit:cover/" + sha + ".jpg";
    String path = "/i/" + EdgeServer.KEYS.sign("/i/" + unsigned) + "/" + unsigned;
    HttpResponse<byte[]> response = edge.get(path);
    assertThat(response.statusCode()).isEqualTo(301);
    String location = header(response, "location");
    assertThat(location)
        .isEqualTo(URLS.variant(sha, Operations.parse("fit:cover,h:64,w:64"), ImageFormat.JPEG));
    assertThat(edge.get(location).statusCode()).isEqualTo(200);
    assertThat(header(edge.get(location + "?cachebuster=1"), "location")).isEqualTo(location);
  }

  @Test
  void anExpiringUrlIsPrivateAndEnds() throws Exception {
    Operations operations = Operations.none().width(66);
    HttpResponse<byte[]> live =
        edge.get(
            URLS.variant(
                sha, operations.expires(EdgeServer.NOW.plusSeconds(60)), ImageFormat.WEBP));
    assertThat(live.statusCode()).isEqualTo(200);
    assertThat(header(live, "cache-control")).isEqualTo("private, max-age=60, immutable");
    assertThat(
            edge.get(URLS.variant(sha, operations.expires(EdgeServer.NOW), ImageFormat.WEBP))
                .statusCode())
        .isEqualTo(200);
    assertProblem(
        edge.get(
            URLS.variant(
                sha, operations.expires(EdgeServer.NOW.minusSeconds(1)), ImageFormat.WEBP)),
        410,
        "edge.expired");
  }

  @Test
  void refusalsHaveTheirStatusAndCode() throws Exception {
    String other = Pictures.sha256(new byte[] {1});
    assertProblem(edge.get("/i/k1.AAAA/w:64/" + sha + ".webp"), 403, "edge.signature");
    assertProblem(edge.get("/i/nothing"), 400, "edge.url.malformed");
    assertProblem(edge.get("/i/" + "a".repeat(600)), 400, "edge.url.malformed");
    assertProblem(signed("w:0/" + sha + ".webp"), 400, "edge.ops.invalid");
    assertProblem(signed("dpr:4,w:8000/" + sha + ".webp"), 400, "edge.ops.invalid");
    assertProblem(signed("w:64/" + sha + ".svg"), 400, "edge.url.malformed");
    assertProblem(edge.get(URLS.auto(other, Operations.none())), 404, "edge.original.missing");
    assertProblem(edge.get(URLS.original(other, ImageFormat.PNG)), 404, "edge.original.missing");
    assertProblem(
        edge.get(URLS.auto(other, Operations.none()), "If-None-Match", "*"),
        404,
        "edge.original.missing");
    HttpResponse<byte[]> post = edge.send("POST", URLS.auto(sha, Operations.none())).get();
    assertProblem(post, 405, "edge.method");
    assertThat(header(post, "allow")).isEqualTo("GET, HEAD");
  }

  private static HttpResponse<byte[]> signed(String unsigned) throws Exception {
    return edge.get(
        ImageRequest.PREFIX
            + EdgeServer.KEYS.sign(ImageRequest.PREFIX + unsigned)
            + "/"
            + unsigned);
  }

  @Test
  void brokenOriginalsAre415AndRememberedForAWhile() throws Exception {
    byte[] half = Arrays.copyOf(png, png.length / 2);
    String broken = edge.put(half);
    long before = edge.routes.encodes();
    String path = URLS.variant(broken, Operations.none().width(64), ImageFormat.WEBP);
    IntStream.range(0, 3)
        .forEach(i -> assertProblem(uncheckedGet(path), 415, "edge.original.corrupt"));
    assertThat(edge.routes.encodes()).isEqualTo(before + 1);
    String bomb = edge.put(Pictures.pngBomb(50_000, 50_000));
    assertProblem(edge.get(URLS.auto(bomb, Operations.none())), 415, "edge.original.too_large");
    String text = edge.put("no picture".getBytes());
    assertProblem(edge.get(URLS.auto(text, Operations.none())), 415, "edge.original.format");
    assertProblem(edge.get(URLS.original(text, ImageFormat.PNG)), 415, "edge.original.format");
  }

  private static HttpResponse<byte[]> uncheckedGet(String path) {
    try {
      return edge.get(path);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aVariantIsWhatItsOperationsSay() throws Exception {
    Decoded decoded =
        Decoded.of(
            edge.get(URLS.variant(sha, Operations.parse("fit:cover,h:50,w:120"), ImageFormat.WEBP))
                .body());
    assertThat(decoded.width()).isEqualTo(120);
    assertThat(decoded.height()).isEqualTo(50);
  }
}
