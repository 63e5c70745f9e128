package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.gateway.ImageLinks;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class EdgeLinksTest {
  private static final String SHA256 = "ab".repeat(32);
  private static final Map<String, String> PLAIN =
      Map.of("edge.keys", "k1:000102030405060708090a0b0c0d0e0f", "edge.cache.folder", "cache");

  private static List<String> links(Map<String, String> settings, String tier) {
    EdgeLinks links = new EdgeLinks(EdgeConfig.parse(settings), path -> "https://x" + path);
    ImageLinks.Urls urls = links.urls(SHA256, 512, 512, tier);
    return Stream.of(urls.original(), urls.webp(), urls.avif(), urls.jpeg(), urls.thumb())
        .map(url -> url.replaceFirst("https://x/i/k1\\.[\\w-]{43}/", ""))
        .toList();
  }

  @Test
  void withoutAWatermarkTheStoredFileIsLinked() {
    for (String tier : List.of("free", "pro")) {
      assertThat(links(PLAIN, tier))
          .containsExactly(
              "orig/" + SHA256 + ".png",
              "full/" + SHA256 + ".webp",
              "full/" + SHA256 + ".avif",
              "full/" + SHA256 + ".jpeg",
              "thumb/" + SHA256 + ".auto");
    }
  }

  @Test
  void picturesOfTheFreeTierCarryTheWatermarkInEveryLink() {
    Map<String, String> marked =
        Map.of(
            "edge.keys",
            PLAIN.get("edge.keys"),
            "edge.cache.folder",
            "cache",
            "edge.watermark.text",
            "tintype");
    assertThat(links(marked, "free"))
        .containsExactly(
            "watermark/" + SHA256 + ".png",
            "watermark/" + SHA256 + ".webp",
            "watermark/" + SHA256 + ".avif",
            "watermark/" + SHA256 + ".jpeg",
            "thumb,watermark/" + SHA256 + ".auto");
    assertThat(links(marked, "pro")).isEqualTo(links(PLAIN, "pro"));
  }
}
