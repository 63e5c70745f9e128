package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The studio page as a browser gets it. */
@Timeout(60)
class StudioHttpTest {
  private static Platform.Server server;
  private final Client browser = new Client(server.port, "");

  @BeforeAll
  static void open() {
    server = Platform.shared().serve(GatewayConfig.defaults());
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static List<String> all(String pattern, String text) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map((MatchResult one) -> one.group(1))
        .toList();
  }

  @Test
  void thePageIsServedUnderAStrictPolicy() {
    Answer page = browser.get("/");
    assertThat(page.status()).isEqualTo(200);
    assertThat(page.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
    assertThat(page.header("Content-Security-Policy"))
        .startsWith("default-src 'none'; script-src 'self'; style-src 'self';")
        .contains("frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'")
        .doesNotContain("unsafe", "*", "http:");
    // What the policy would block anyway must not be there: inline scripts, styles and handlers.
    assertThat(page.text())
        .doesNotContain("<style", " style=", " onclick=", "javascript:")
        .doesNotContainPattern("<script(?![^>]*src=)");
  }

  @Test
  void anotherOriginForPicturesIsAllowedForPicturesOnly() {
    GatewayConfig config =
        GatewayConfig.defaults()
            .withImageOrigin(java.net.URI.create("https://img.example.org/some/path"));
    try (Platform.Server other = Platform.shared().serve(config)) {
      assertThat(new Client(other.port, "").get("/").header("Content-Security-Policy"))
          .contains("img-src 'self' data: blob: https://img.example.org;")
          .containsOnlyOnce("img.example.org");
    }
  }

  @Test
  void everythingThePageLoadsIsServedHereAndNothingElseIsLoaded() {
    String page = browser.get("/").text();
    List<String> loaded = all("(?:src|href)=\"([^\"#]+)\"", page);
    assertThat(loaded).contains("/studio/studio.js", "/studio/studio.css");
    for (String path : loaded) {
      assertThat(path).startsWith("/");
      assertThat(browser.get(path).status()).as(path).isEqualTo(200);
    }
    for (String script : List.of("studio.js", "api.js", "hints.js", "plate.js", "viewer.js")) {
      String text = browser.get("/studio/" + script).text();
      for (String module : all("from \"\\./([^\"]+)\"", text)) {
        assertThat(browser.get("/studio/" + module).header("Content-Type"))
            .startsWith("text/javascript");
      }
      assertThat(text).doesNotContain("https://", "innerHTML", "eval(", "document.write");
      // The namespace of SVG is a name and never fetched.
      assertThat(text.replace("http://www.w3.org/2000/svg", "")).doesNotContain("http://");
    }
    assertThat(browser.get("/studio/studio.css").text()).doesNotContain("url(", "@import");
  }

  @Test
  void everyElementThatTheScriptsAskForIsOnThePage() {
    String page = browser.get("/").text();
    for (String script : List.of("studio.js", "viewer.js")) {
      String text = browser.get("/studio/" + script).text();
      List<String> ids = all("\\$\\(\"([a-z-]+)\"\\)", text);
      assertThat(ids).isNotEmpty();
      for (String id : ids) {
        assertThat(page).as(script + " asks for #" + id).contains("id=\"" + id + "\"");
      }
    }
    for (String name :
        all("this\\.part\\(\"([a-z-]+)\"\\)", browser.get("/studio/plate.js").text())) {
      assertThat(page)
          .as("plate.js asks for ." + name)
          .containsPattern("class=\"[^\"]*\\b" + name + "\\b");
    }
  }

  @Test
  void browsersAskAgainButLoadOnce() {
    Answer first = browser.get("/studio/studio.css");
    assertThat(first.header("Cache-Control")).isEqualTo("no-cache");
    String tag = first.header("ETag");
    Answer again =
        browser.send(
            browser.request("/studio/studio.css").header("If-None-Match", "\"x\", W/" + tag));
    assertThat(again.status()).isEqualTo(304);
    assertThat(again.header("ETag")).isEqualTo(tag);
    assertThat(
            browser
                .send(browser.request("/studio/studio.css").header("If-None-Match", "\"x\""))
                .status())
        .isEqualTo(200);
  }

  @Test
  void scriptsStayWithinTheLimitsOfTheApi() {
    // The hints promise what the parser keeps.
    String hints = browser.get("/studio/hints.js").text();
    for (String flag :
        List.of("--ar", "--seed", "--no", "--steps", "--cfg", "--images", "--model")) {
      assertThat(hints).contains("\"" + flag + "\"");
    }
    assertThat(browser.get("/studio/../v1/jobs").status()).isNotEqualTo(200);
    browser.get("/studio/other.js").refusedWith(404, "request.path");
  }
}
