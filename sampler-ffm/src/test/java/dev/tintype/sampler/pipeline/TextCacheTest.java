package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.pipeline.TextCache.Key;
import dev.tintype.sampler.pipeline.TextCache.Text;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextCacheTest {
  private static final Path MODELS = Path.of("src/test/golden/models");

  private static Key key(int token) {
    return new Key(List.of(token), 0);
  }

  private static Text text(int numbers) {
    return new Text(new float[numbers], Shape.of(numbers), Optional.empty());
  }

  @Test
  void isBoundedInBytesAndForgetsWhatWasNotUsedForLongest() {
    long two = 2 * text(100).bytes();
    TextCache cache = new TextCache(two);
    cache.put(key(1), text(100));
    cache.put(key(2), text(100));
    assertThat(cache.get(key(1))).isPresent();
    cache.put(key(3), text(100));
    assertThat(cache.get(key(2))).isEmpty();
    assertThat(cache.get(key(1))).isPresent();
    cache.put(key(1), text(50));
    assertThat(cache.bytes()).isEqualTo(text(100).bytes() + text(50).bytes());
    cache.put(key(4), text(1_000_000));
    assertThat(cache.bytes()).isLessThanOrEqualTo(two);
    assertThat(cache.get(key(4))).isEmpty();
    assertThat(cache.counts()).isEqualTo(new TextCacheCounts(2, 2));
  }

  private static Recipe recipe(String prompt, int clipSkip) {
    return new Recipe(
        prompt,
        "snow",
        64,
        64,
        2,
        5,
        0,
        0,
        Optional.empty(),
        9,
        clipSkip,
        Optional.empty(),
        Optional.empty());
  }

  private static byte[] paint(DiffusionPipeline pipeline, Recipe recipe) {
    try (Sample sample = pipeline.admit(recipe)) {
      while (!sample.done()) {
        pipeline.step(List.of(sample));
      }
      return pipeline.decode(sample).rgb();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd-tiny", "sdxl-tiny"})
  void aKnownTextGivesTheSamePicture(String model) {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve(model), device, LoadOptions.defaults())) {
      byte[] encoded = paint(pipeline, recipe("a red sun", 0));
      assertThat(pipeline.textCache()).isEqualTo(new TextCacheCounts(0, 2));
      assertThat(paint(pipeline, recipe("a red sun", 0))).isEqualTo(encoded);
      assertThat(pipeline.textCache()).isEqualTo(new TextCacheCounts(2, 2));
      // The tokenizer reads both alike.
      assertThat(paint(pipeline, recipe("A  red SUN", 0))).isEqualTo(encoded);
      assertThat(pipeline.textCache()).isEqualTo(new TextCacheCounts(4, 2));
      assertThat(paint(pipeline, recipe("a red sun", 1))).isNotEqualTo(encoded);
      assertThat(pipeline.textCache()).isEqualTo(new TextCacheCounts(5, 3));
    }
  }
}
