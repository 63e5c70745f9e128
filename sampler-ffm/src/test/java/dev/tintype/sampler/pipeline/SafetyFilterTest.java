package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SafetyFilterTest {
  /** A gradient from black at the left to white at the right. */
  private static RgbImage gradient(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 3 % width * 255 / (width - 1));
    }
    return new RgbImage(width, height, rgb);
  }

  @Test
  void resizesAsPillowDoes() {
    // PIL.Image.resize((4, 2), BICUBIC) of the 8x4 gradient, first channel of the first row.
    RgbImage small = BicubicResize.resize(gradient(8, 4), 4, 2);
    int[] row = new int[4];
    for (int x = 0; x < 4; x++) {
      row[x] = small.rgb()[x * 3] & 0xff;
    }
    assertThat(row).containsExactly(20, 89, 165, 235);
  }

  @Test
  void cropsTheCentreAndNormalises() {
    float[] pixels = SafetyFilter.prepare(gradient(96, 48), 32);
    assertThat(pixels).hasSize(32 * 32 * 3);
    float middle = (pixels[(16 * 32 + 15) * 3] + pixels[(16 * 32 + 16) * 3]) / 2;
    assertThat(middle * 0.26862954f + 0.48145466f).isCloseTo(0.5f, within(0.01f));
  }

  @Test
  void saysTheSameOfTheSamePicture() {
    try (Device device = Devices.open("reference", DeviceOptions.defaults());
        SafetyFilter filter =
            SafetyFilter.load(Path.of("src/test/golden/models/safety-tiny"), device)) {
      assertThat(filter.flags(gradient(64, 48))).isEqualTo(filter.flags(gradient(64, 48)));
    }
  }
}
