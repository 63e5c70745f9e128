package dev.tintype.worker.picture;

import dev.tintype.worker.engine.Picture;

/**
 * Scales pictures with a triangle filter that is as wide as the scale, so that small copies do not
 * alias. Plain arithmetic in a fixed order: the same bytes on every machine.
 */
final class Resampling {
  private static final int CHANNELS = 3;

  private Resampling() {}

  /** Scaled until it covers that size, cut about its middle; itself where it has the size. */
  static Picture cover(Picture from, int width, int height) {
    if (from.width() == width && from.height() == height) {
      return from;
    }
    double scale = Math.min((double) from.width() / width, (double) from.height() / height);
    double left = (from.width() - scale * width) / 2;
    double top = (from.height() - scale * height) / 2;
    return resample(from, width, height, left, top, scale, scale);
  }

  /** Scaled to exactly that size. */
  static Picture stretch(Picture from, int width, int height) {
    return resample(
        from, width, height, 0, 0, (double) from.width() / width, (double) from.height() / height);
  }

  private static Picture resample(
      Picture from, int width, int height, double left, double top, double sx, double sy) {
    Taps columns = Taps.of(from.width(), width, left, sx);
    Taps rows = Taps.of(from.height(), height, top, sy);
    byte[] source = from.rgb();
    float[] narrow = new float[Math.multiplyExact(from.height(), width * CHANNELS)];
    for (int y = 0; y < from.height(); y++) {
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < CHANNELS; c++) {
          float sum = 0;
          for (int tap = 0; tap < columns.count; tap++) {
            int at = y * from.width() + columns.index(x, tap);
            sum += columns.weight(x, tap) * (source[at * CHANNELS + c] & 0xff);
          }
          narrow[(y * width + x) * CHANNELS + c] = sum;
        }
      }
    }
    byte[] rgb = new byte[Math.multiplyExact(width * CHANNELS, height)];
    for (int y = 0; y < height; y++) {
      for (int i = 0; i < width * CHANNELS; i++) {
        float sum = 0;
        for (int tap = 0; tap < rows.count; tap++) {
          sum += rows.weight(y, tap) * narrow[rows.index(y, tap) * width * CHANNELS + i];
        }
        rgb[y * width * CHANNELS + i] = (byte) Math.clamp(Math.round(sum), 0, 255);
      }
    }
    return new Picture(width, height, rgb);
  }

  /**
   * Which source elements make one target element, and with which weights, that sum to 1. Beyond
   * the edge the last element is repeated.
   */
  private record Taps(int count, int size, int[] first, float[] weights) {
    static Taps of(int from, int to, double start, double scale) {
      double radius = Math.max(1, scale);
      int count = (int) Math.ceil(2 * radius) + 1;
      int[] first = new int[to];
      float[] weights = new float[to * count];
      for (int i = 0; i < to; i++) {
        double centre = start + (i + 0.5) * scale - 0.5;
        first[i] = (int) Math.ceil(centre - radius);
        double sum = 0;
        double[] own = new double[count];
        for (int tap = 0; tap < count; tap++) {
          own[tap] = Math.max(0, 1 - Math.abs(first[i] + tap - centre) / radius);
          sum += own[tap];
        }
        for (int tap = 0; tap < count; tap++) {
          weights[i * count + tap] = (float) (own[tap] / sum);
        }
      }
      return new Taps(count, from, first, weights);
    }

    int index(int target, int tap) {
      return Math.clamp(first[target] + tap, 0, size - 1);
    }

    float weight(int target, int tap) {
      return weights[target * count + tap];
    }
  }
}
