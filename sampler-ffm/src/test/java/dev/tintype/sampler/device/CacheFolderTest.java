package dev.tintype.sampler.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CacheFolderTest {
  @Test
  void theNearestSettingThatIsNotBlankDecides() {
    Map<String, String> properties = new HashMap<>(Map.of("user.home", "/home/a"));
    Map<String, String> variables = new HashMap<>();
    assertThat(CacheFolder.find(properties::get, variables::get))
        .isEqualTo(Path.of("/home/a/.cache/tintype"));
    variables.put("XDG_CACHE_HOME", "/xdg");
    assertThat(CacheFolder.find(properties::get, variables::get))
        .isEqualTo(Path.of("/xdg/tintype"));
    variables.put("TINTYPE_CACHE", "/variable");
    properties.put("tintype.cache", " ");
    assertThat(CacheFolder.find(properties::get, variables::get)).isEqualTo(Path.of("/variable"));
    properties.put("tintype.cache", "/property");
    assertThat(CacheFolder.find(properties::get, variables::get)).isEqualTo(Path.of("/property"));
  }
}
