package dev.tintype.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.edge.error.EdgeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EdgeConfigTest {
  private static final String SECRET = "000102030405060708090a0b0c0d0e0f";

  private static Map<String, String> minimal() {
    return new HashMap<>(Map.of("edge.keys", "k1:" + SECRET, "edge.cache.folder", "cache"));
  }

  @Test
  void whatIsAbsentHasItsDefault() {
    EdgeConfig config = EdgeConfig.parse(minimal());
    assertThat(config.cache()).isEqualTo(EdgeConfig.Cache.in(Path.of("cache")));
    assertThat(config.encoder()).isEqualTo(EdgeConfig.Encoder.defaults());
    assertThat(config.limits()).isEqualTo(EdgeConfig.Limits.defaults());
    assertThat(config.toString()).doesNotContain(SECRET);
  }

  @ParameterizedTest
  @CsvSource({
    "edge.encoder.thread,4",
    "edge.encoder.threads,0",
    "edge.encoder.threads,many",
    "edge.encoder.threads,99999999999",
    "edge.encoder.avif_effort,10",
    "edge.encoder.keep_metadata,yes",
    "edge.limits.side_px_max,20000",
    "edge.limits.encode_deadline_ms,0",
    "edge.cache.disk_bytes_max,-1",
    "edge.keys,''",
    "edge.watermark.opacity_percent,0",
    "edge.watermark.width_percent,101",
    "edge.unsigned_presets,'thumb,poster'",
    "edge.client_hints,1",
    "edge.cache.folder,' '",
  })
  void aValueThatCannotBeUsedIsAnErrorThatNamesItsKey(String key, String value) {
    Map<String, String> values = minimal();
    values.put(key, value);
    assertThatThrownBy(() -> EdgeConfig.parse(values))
        .isInstanceOf(EdgeException.Config.class)
        .hasMessageContaining(key);
  }

  @ParameterizedTest
  @CsvSource({"edge.watermark.text,Made here", "edge.watermark.file,mark.png"})
  void unsignedPresetsWouldDefeatAWatermark(String key, String value) {
    Map<String, String> values = minimal();
    values.put(key, value);
    assertThat(EdgeConfig.parse(values).watermark().configured()).isTrue();
    values.put("edge.unsigned_presets", "thumb");
    assertThatThrownBy(() -> EdgeConfig.parse(values))
        .isInstanceOf(EdgeException.Config.class)
        .hasMessageContaining("edge.unsigned_presets")
        .hasMessageContaining("edge.watermark");
  }

  /**
   * The table in docs/edge.md is the operator's only source; a key or a default that is missing
   * there is a fault.
   */
  @Test
  void theDocumentationListsEveryKeyAndItsDefault() throws IOException {
    String page = Files.readString(Path.of("../docs/edge.md"));
    Matcher rows = Pattern.compile("(?m)^\\| `(edge\\.[a-z_.]+)` \\| ([^|]*) \\|").matcher(page);
    Map<String, String> documented = new HashMap<>();
    while (rows.find()) {
      documented.put(rows.group(1), rows.group(2).strip());
    }
    assertThat(documented)
        .hasSize(37)
        .containsKeys("edge.keys", "edge.cache.folder", "edge.encoder.library");
    Map<String, String> values = minimal();
    documented.forEach(
        (key, value) -> {
          if (value.matches("[\\d,]+|true|false")) {
            values.put(key, value.replace(",", ""));
          }
        });
    assertThat(values).hasSizeGreaterThanOrEqualTo(20);
    EdgeConfig config = EdgeConfig.parse(values);
    assertThat(List.of(config.cache(), config.limits()))
        .containsExactly(EdgeConfig.Cache.in(Path.of("cache")), EdgeConfig.Limits.defaults());
    assertThat(config.encoder()).isEqualTo(EdgeConfig.Encoder.defaults());
    assertThat(config.watermark()).isEqualTo(EdgeConfig.Watermark.none());
    assertThat(config.delivery()).isEqualTo(EdgeConfig.Delivery.defaults());
  }
}
