package dev.tintype.edge.http;

import static dev.tintype.edge.http.EdgeServer.URLS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.Pictures;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Operations;
import dev.tintype.edge.url.Preset;
import dev.tintype.edge.vips.Decoded;
import dev.tintype.edge.vips.Loaded;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Client hints, unsigned presets, If-Match: what is answered by configuration and condition. */
final class ClientHintsTest {
  @TempDir Path folder;

  @BeforeAll
  static void load() {
    Loaded.vips();
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "-,-,100,false", "1,-,100,false", "1.5,-,150,false", "1.45,-,150,false",
            "2.625,-,200,false",
        "2.95,-,300,false", "4,-,300,false", "0.5,-,100,false", "x,-,100,false", "-1,-,100,false",
        "1e9,-,100,false", "3,on,100,true", "3,ON,100,true", "3,off,300,false",
      })
  void hintsCollapseToFewValues(String dpr, String saveData, int hundredths, boolean save) {
    assertThat(ClientHints.of(dpr, saveData)).isEqualTo(new ClientHints(hundredths, save));
  }

  private EdgeServer serving(boolean hints, Preset... unsigned) throws Exception {
    return new EdgeServer(
        folder,
        config -> config.with(new EdgeConfig.Delivery(Set.of(unsigned), hints)),
        originals -> originals);
  }

  private static String header(HttpResponse<byte[]> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  @Test
  void aDenseScreenGetsMorePixelsAndASavingClientFewerBytes() throws Exception {
    try (EdgeServer edge = serving(true)) {
      String sha = edge.put(Pictures.png(900, 600));
      String path = URLS.auto(sha, Operations.none().width(200));
      HttpResponse<byte[]> plain = edge.get(path, "Accept", "image/webp");
      HttpResponse<byte[]> dense = edge.get(path, "Accept", "image/webp", "Sec-CH-DPR", "2.0");
      HttpResponse<byte[]> saving =
          edge.get(path, "Accept", "image/webp", "Sec-CH-DPR", "2.0", "Save-Data", "on");
      assertThat(Decoded.of(plain.body()).width()).isEqualTo(200);
      assertThat(Decoded.of(dense.body()).width()).isEqualTo(400);
      assertThat(Decoded.of(saving.body()).width()).isEqualTo(200);
      assertThat(saving.body().length).isLessThan(plain.body().length);
      assertThat(header(plain, "vary")).isEqualTo("Accept, Save-Data, Sec-CH-DPR");
      assertThat(header(plain, "accept-ch")).isEqualTo("Save-Data, Sec-CH-DPR");
      assertThat(header(dense, "etag")).isNotEqualTo(header(plain, "etag"));
      String fixed = URLS.variant(sha, Operations.none().width(200), ImageFormat.WEBP);
      HttpResponse<byte[]> named = edge.get(fixed, "Sec-CH-DPR", "2.0");
      assertThat(Decoded.of(named.body()).width()).isEqualTo(200);
      assertThat(header(named, "vary")).isEmpty();
    }
  }

  @Test
  void withoutTheOptionHintsChangeNothing() throws Exception {
    try (EdgeServer edge = serving(false)) {
      String path = URLS.auto(edge.put(Pictures.png(900, 600)), Operations.none().width(200));
      HttpResponse<byte[]> dense = edge.get(path, "Accept", "image/webp", "Sec-CH-DPR", "2.0");
      assertThat(Decoded.of(dense.body()).width()).isEqualTo(200);
      assertThat(header(dense, "vary")).isEqualTo("Accept");
    }
  }

  @Test
  void onlyAllowedPresetsNeedNoSignature() throws Exception {
    try (EdgeServer edge = serving(false, Preset.THUMB)) {
      String sha = edge.put(Pictures.png(900, 600));
      assertThat(edge.get("/i/-/thumb/" + sha + ".webp").statusCode()).isEqualTo(200);
      assertThat(edge.get("/i/-/thumb/" + sha + ".auto").statusCode()).isEqualTo(200);
      HttpResponse<byte[]> jpg = edge.get("/i/-/thumb/" + sha + ".jpg");
      assertThat(jpg.statusCode()).isEqualTo(301);
      assertThat(header(jpg, "location")).isEqualTo("/i/-/thumb/" + sha + ".jpeg");
      for (String refused :
          new String[] {"card", "thumb,w:10", "w:10", "orig", "full", "thumb,watermark"}) {
        assertThat(edge.get("/i/-/" + refused + "/" + sha + ".png").statusCode())
            .as(refused)
            .isEqualTo(403);
      }
    }
    try (EdgeServer edge = serving(false)) {
      String sha = edge.put(Pictures.png(9, 9));
      assertThat(edge.get("/i/-/thumb/" + sha + ".webp").statusCode()).isEqualTo(403);
    }
  }

  @Test
  void ifMatchHoldsOrTheAnswerIs412() throws Exception {
    try (EdgeServer edge = serving(false)) {
      String path =
          URLS.variant(edge.put(Pictures.png(90, 60)), Operations.none(), ImageFormat.WEBP);
      String etag = header(edge.get(path), "etag");
      assertThat(edge.get(path, "If-Match", etag).statusCode()).isEqualTo(200);
      assertThat(edge.get(path, "If-Match", "\"other\", " + etag).statusCode()).isEqualTo(200);
      assertThat(edge.get(path, "If-Match", "*").statusCode()).isEqualTo(200);
      HttpResponse<byte[]> other = edge.get(path, "If-Match", "W/" + etag);
      assertThat(other.statusCode()).isEqualTo(412);
      assertThat(new String(other.body())).contains("edge.precondition");
    }
  }
}
