package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.vips.ImageSniffer;
import dev.tintype.edge.vips.Loaded;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The short way of what is in memory says the same as the long one. The first request encodes, the
 * second is a hit that goes the long way and is remembered, the third goes the short one; its
 * Server-Timing, which has no total, tells.
 */
final class HotPathTest {
  private static final String SHORT = "cache;desc=memory";

  @TempDir static Path folder;
  private static EdgeServer edge;
  private static EdgeServer hinting;
  private static String sha;

  @BeforeAll
  static void start() throws Exception {
    Loaded.vips();
    edge = new EdgeServer(folder.resolve("plain"));
    hinting =
        new EdgeServer(
            folder.resolve("hinting"),
            config -> config.with(new EdgeConfig.Delivery(Set.of(), true)),
            originals -> originals);
    sha = edge.put(Pictures.png(320, 240));
    hinting.put(Pictures.png(320, 240));
  }

  @AfterAll
  static void stop() throws Exception {
    edge.close();
    hinting.close();
  }

  private static boolean isShort(HttpResponse<byte[]> response) {
    return response.headers().firstValue("server-timing").orElse("").equals(SHORT);
  }

  private static HttpResponse<byte[]> heated(String path, String... headers) throws Exception {
    edge.get(path, headers);
    edge.get(path, headers);
    HttpResponse<byte[]> hot = edge.get(path, headers);
    assertThat(isShort(hot)).as("the third time is short").isTrue();
    return hot;
  }

  private static Map<String, List<String>> headers(HttpResponse<byte[]> response) {
    Map<String, List<String>> all = new TreeMap<>(response.headers().map());
    all.remove("server-timing");
    return all;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theShortWaySaysWhatTheLongOneSays(boolean hints) throws Exception {
    EdgeServer asked = hints ? hinting : edge;
    for (String extension : new String[] {"webp", "auto"}) {
      String path =
          extension.equals("auto")
              ? URLS.auto(sha, Operations.none().width(61))
              : URLS.variant(sha, Operations.none().width(62), ImageFormat.WEBP);
      asked.get(path, "Accept", "image/avif");
      HttpResponse<byte[]> slow = asked.get(path, "Accept", "image/avif");
      assertThat(isShort(slow)).isFalse();
      HttpResponse<byte[]> fast = asked.get(path, "Accept", "image/avif");
      assertThat(isShort(fast)).isTrue();
      assertThat(headers(fast)).isEqualTo(headers(slow));
      assertThat(fast.statusCode()).isEqualTo(200);
      assertThat(fast.body()).isEqualTo(slow.body());
    }
  }

  @Test
  void hintsTakeTheLongWayOnlyWhereTheyMatter() throws Exception {
    String auto = URLS.auto(sha, Operations.none().width(68));
    String named = URLS.variant(sha, Operations.none().width(68), ImageFormat.WEBP);
    for (String[] hint : new String[][] {{"Sec-CH-DPR", "2"}, {"Save-Data", "on"}}) {
      for (int i = 0; i < 3; i++) {
        hinting.get(auto, "Accept", "image/webp");
        hinting.get(named, "Accept", "image/webp");
        edge.get(auto, "Accept", "image/webp");
      }
      for (int i = 0; i < 3; i++) {
        HttpResponse<byte[]> hinted = hinting.get(auto, "Accept", "image/webp", hint[0], hint[1]);
        assertThat(isShort(hinted)).as(hint[0]).isFalse();
        assertThat(hinted.body()).isNotEqualTo(hinting.get(auto, "Accept", "image/webp").body());
      }
      assertThat(isShort(hinting.get(named, "Accept", "image/webp", hint[0], hint[1]))).isTrue();
      assertThat(isShort(edge.get(auto, "Accept", "image/webp", hint[0], hint[1]))).isTrue();
    }
  }

  @Test
  void eachAcceptHasItsOwnAnswer() throws Exception {
    String path = URLS.auto(sha, Operations.none().width(63));
    for (int i = 0; i < 3; i++) {
      assertThat(ImageSniffer.format(edge.get(path, "Accept", "image/avif").body()))
          .contains(ImageFormat.AVIF);
      assertThat(ImageSniffer.format(edge.get(path, "Accept", "image/webp").body()))
          .contains(ImageFormat.WEBP);
      assertThat(ImageSniffer.format(edge.get(path).body())).contains(ImageFormat.JPEG);
    }
  }

  @Test
  void rangesValidatorsAndOtherMethodsTakeTheLongWay() throws Exception {
    String path = URLS.variant(sha, Operations.none().width(64), ImageFormat.WEBP);
    HttpResponse<byte[]> whole = heated(path);
    String etag = whole.headers().firstValue("etag").orElseThrow();
    HttpResponse<byte[]> part = edge.get(path, "Range", "bytes=1-4");
    assertThat(part.statusCode()).isEqualTo(206);
    assertThat(part.body()).hasSize(4);
    assertThat(edge.get(path, "If-None-Match", etag).statusCode()).isEqualTo(304);
    assertThat(edge.head(path).body()).isEmpty();
    assertThat(edge.send("DELETE", path).get().statusCode()).isEqualTo(405);
    assertThat(isShort(edge.get(path))).isTrue();
  }

  @Test
  void onlyTheUrlThatWasVerifiedIsKnown() throws Exception {
    String path = URLS.variant(sha, Operations.none().width(65), ImageFormat.WEBP);
    heated(path);
    String forged = path.replace("w:65", "w:66");
    assertThat(edge.get(forged).statusCode()).isEqualTo(403);
    assertThat(edge.get(path + "?x").statusCode()).isEqualTo(301);
    assertThat(edge.get(path.replace(":", "%3A")).statusCode()).isEqualTo(301);
  }

  @Test
  void anExpiringUrlIsJudgedEveryTime() throws Exception {
    String path =
        URLS.variant(
            sha,
            Operations.none().width(67).expires(EdgeServer.NOW.plusSeconds(9)),
            ImageFormat.WEBP);
    for (int i = 0; i < 4; i++) {
      HttpResponse<byte[]> response = edge.get(path);
      assertThat(isShort(response)).isFalse();
      assertThat(response.headers().firstValue("cache-control"))
          .contains("private, max-age=9, immutable");
    }
  }
}
