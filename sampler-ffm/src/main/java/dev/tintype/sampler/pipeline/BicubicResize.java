package dev.tintype.sampler.pipeline;

/**
 * Bicubic resampling as Pillow does it: a = -0.5, the kernel widened when the picture shrinks, rows
 * first, each pass rounded to bytes.
 */
final class BicubicResize {
  private static final double A = -0.5;
  private static final double SUPPORT = 2;

  private BicubicResize() {}

  static RgbImage resize(RgbImage picture, int width, int height) {
    byte[] wide = new byte[width * picture.height() * 3];
    Weights across = Weights.of(picture.width(), width);
    for (int y = 0; y < picture.height(); y++) {
      int row = y * picture.width() * 3;
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
          wide[(y * width + x) * 3 + c] = across.apply(picture.rgb(), row + c, 3, x);
        }
      }
    }
    byte[] result = new byte[width * height * 3];
    Weights down = Weights.of(picture.height(), height);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width * 3; x++) {
        result[y * width * 3 + x] = down.apply(wide, x, width * 3, y);
      }
    }
    return new RgbImage(width, height, result);
  }

  /** For each output position, the first input position and the weights from there on. */
  private record Weights(int[] first, double[][] weights) {
    static Weights of(int in, int out) {
      double scale = (double) in / out;
      double filterScale = Math.max(scale, 1);
      int[] first = new int[out];
      double[][] weights = new double[out][];
      for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale;
        int from = Math.max(0, (int) (centre - SUPPORT * filterScale + 0.5));
        int to = Math.min(in, (int) (centre + SUPPORT * filterScale + 0.5));
        double[] w = new double[to - from];
        double sum = 0;
        for (int j = 0; j < w.length; j++) {
          w[j] = kernel((j + from - centre + 0.5) / filterScale);
          sum += w[j];
        }
        for (int j = 0; j < w.length; j++) {
          w[j] /= sum;
        }
        first[i] = from;
        weights[i] = w;
      }
      return new Weights(first, weights);
    }

    private static double kernel(double position) {
      double x = Math.abs(position);
      if (x < 1) {
        return ((A + 2) * x - (A + 3)) * x * x + 1;
      }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    }

    byte apply(byte[] values, int offset, int stride, int position) {
      double sum = 0;
      double[] w = weights[position];
      for (int j = 0; j < w.length; j++) {
        sum += w[j] * (values[offset + (first[position] + j) * stride] & 0xff);
      }
      return (byte) Math.clamp(Math.round(sum), 0, 255);
    }
  }
}
