package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpscalerTest {
  private static final Path MODELS = Path.of("src/test/golden/models");

  /** More than the tiny network sees around a pixel. */
  private static final Upscaler.Tiles SMALL = new Upscaler.Tiles(16, 48);

  private static RgbImage noise(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    new Random(5).nextBytes(rgb);
    return new RgbImage(width, height, rgb);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rrdb-x2-tiny", "rrdb-x4-tiny"})
  void tilesMeetWithoutSeams(String model) {
    RgbImage picture = noise(37, 21);
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        Upscaler whole = Upscaler.load(MODELS.resolve(model), device, Upscaler.Tiles.DEFAULT);
        Upscaler tiled = Upscaler.load(MODELS.resolve(model), device, SMALL)) {
      RgbImage expected = whole.upscale(picture);
      RgbImage found = tiled.upscale(picture);
      assertThat(found.width()).isEqualTo(37 * whole.scale());
      assertThat(found.height()).isEqualTo(21 * whole.scale());
      int worst = 0;
      for (int i = 0; i < expected.rgb().length; i++) {
        worst = Math.max(worst, Math.abs((expected.rgb()[i] & 0xff) - (found.rgb()[i] & 0xff)));
      }
      assertThat(new String(expected.rgb(), StandardCharsets.ISO_8859_1).chars().distinct().count())
          .as("something to compare")
          .isGreaterThan(5);
      assertThat(worst).as("levels of 256").isLessThanOrEqualTo(1);
    }
  }

  @Test
  void refusesOddTiles() {
    assertThatThrownBy(() -> new Upscaler.Tiles(15, 8)).isInstanceOf(RecipeException.class);
  }
}
