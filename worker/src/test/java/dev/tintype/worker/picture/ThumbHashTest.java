package dev.tintype.worker.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tintype.worker.engine.Picture;
import org.junit.jupiter.api.Test;

/** The header against the format's own reading of it: thumbHashToAverageRGBA and AspectRatio. */
class ThumbHashTest {
  private static Picture flat(int width, int height, int r, int g, int b) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < width * height; i++) {
      rgb[3 * i] = (byte) r;
      rgb[3 * i + 1] = (byte) g;
      rgb[3 * i + 2] = (byte) b;
    }
    return new Picture(width, height, rgb);
  }

  private static double[] average(byte[] hash) {
    int header = hash[0] & 0xff | (hash[1] & 0xff) << 8 | (hash[2] & 0xff) << 16;
    double l = (header & 63) / 63.0;
    double p = (header >> 6 & 63) / 31.5 - 1;
    double q = (header >> 12 & 63) / 31.5 - 1;
    double b = l - 2.0 / 3 * p;
    double r = (3 * l - b + q) / 2;
    return new double[] {r, r - q, b};
  }

  @Test
  void theAverageColourComesBack() {
    for (int[] colour : new int[][] {{255, 0, 0}, {10, 200, 30}, {255, 255, 255}, {0, 0, 90}}) {
      double[] read = average(ThumbHash.of(flat(300, 200, colour[0], colour[1], colour[2])));
      for (int c = 0; c < 3; c++) {
        assertThat(read[c]).isCloseTo(colour[c] / 255.0, within(0.06));
      }
    }
  }

  @Test
  void theAspectRatioComesBack() {
    byte[] wide = ThumbHash.of(flat(700, 400, 9, 9, 9));
    assertThat(wide[4] & 0x80).isEqualTo(0x80);
    assertThat(wide[3] & 7).isEqualTo(4);
    byte[] tall = ThumbHash.of(flat(300, 700, 9, 9, 9));
    assertThat(tall[4] & 0x80).isZero();
    assertThat(tall[3] & 7).isEqualTo(3);
  }

  @Test
  void aLineFromDarkToLightIsItsFirstTerm() {
    byte[] rgb = new byte[64 * 64 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 3 % 64 * 4);
    }
    byte[] hash = ThumbHash.of(new Picture(64, 64, rgb));
    // Brighter to the right: the first cosine is the largest and negative, 0 of 15.
    assertThat(hash[5] & 15).isZero();
    assertThat(hash).hasSize(5 + (27 + 5 + 5 + 1) / 2);
    assertThat(ThumbHash.base64(new Picture(64, 64, rgb)).length()).isLessThan(40);
  }
}
