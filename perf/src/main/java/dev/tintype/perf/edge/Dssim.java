package dev.tintype.perf.edge;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Structural dissimilarity after Kornel Lesinski's dssim: SSIM (Wang et al. 2004) in CIE L*a*b*, on
 * five scales, each half of the one before (in linear light, as an eye farther away sees it), with
 * dssim's weights; 1 / SSIM - 1, so that 0 is equal and twice as much is about twice as bad. Our
 * own implementation: its numbers compare with each other, not with the program's.
 */
final class Dssim {
  /** Of the scales, finest first: those of MS-SSIM (Wang et al. 2003), as dssim has them. */
  private static final double[] WEIGHTS = {0.028, 0.197, 0.322, 0.298, 0.155};

  private static final int SIDE_PX_MIN = 16;
  private static final double C1 = 0.01 * 0.01;
  private static final double C2 = 0.03 * 0.03;

  /** A Gaussian of sigma 1.5 px, as in the paper, cut at 5 px. */
  private static final float[] KERNEL = kernel(1.5, 5);

  private static final float[] LINEAR = linear();

  private final List<Scale> scales = new ArrayList<>();

  /** One size of the reference, with what SSIM wants to know about it alone. */
  private record Scale(Planes lab, float[][] means, float[][] squares) {}

  /** Against a reference, which is prepared once. */
  Dssim(BufferedImage reference) {
    Planes planes = Planes.of(reference);
    while (true) {
      Planes lab = planes.lab();
      float[][] means = new float[3][];
      float[][] squares = new float[3][];
      for (int channel = 0; channel < 3; channel++) {
        float[] x = lab.values[channel];
        means[channel] = blur(x, lab.width, lab.height);
        squares[channel] = blur(product(x, x), lab.width, lab.height);
      }
      scales.add(new Scale(lab, means, squares));
      if (scales.size() == WEIGHTS.length
          || Math.min(planes.width, planes.height) < 2 * SIDE_PX_MIN) {
        return;
      }
      planes = planes.half();
    }
  }

  /** Of a picture of the reference's size. */
  double distance(BufferedImage picture) {
    Planes planes = Planes.of(picture);
    if (planes.width != scales.getFirst().lab.width
        || planes.height != scales.getFirst().lab.height) {
      throw new IllegalArgumentException("pictures of two sizes");
    }
    double sum = 0;
    double weights = 0;
    for (int i = 0; i < scales.size(); i++) {
      planes = i == 0 ? planes : planes.half();
      sum += WEIGHTS[i] * similarity(scales.get(i), planes.lab());
      weights += WEIGHTS[i];
    }
    return 1 / Math.max(sum / weights, 1e-9) - 1;
  }

  /** Mean over the picture of the SSIM of the three channels together. */
  private static double similarity(Scale a, Planes b) {
    int size = b.width * b.height;
    float[][] my = new float[3][];
    float[][] yy = new float[3][];
    float[][] xy = new float[3][];
    for (int channel = 0; channel < 3; channel++) {
      float[] y = b.values[channel];
      my[channel] = blur(y, b.width, b.height);
      yy[channel] = blur(product(y, y), b.width, b.height);
      xy[channel] = blur(product(a.lab.values[channel], y), b.width, b.height);
    }
    double sum = 0;
    for (int i = 0; i < size; i++) {
      double means = 0;
      double products = 0;
      double variances = 0;
      double covariance = 0;
      for (int channel = 0; channel < 3; channel++) {
        double x = a.means[channel][i];
        double y = my[channel][i];
        products += x * y / 3;
        means += (x * x + y * y) / 3;
        variances += Math.max(0, a.squares[channel][i] - x * x + yy[channel][i] - y * y) / 3;
        covariance += (xy[channel][i] - x * y) / 3;
      }
      sum += (2 * products + C1) * (2 * covariance + C2) / ((means + C1) * (variances + C2));
    }
    return sum / size;
  }

  private static float[] product(float[] x, float[] y) {
    float[] out = new float[x.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = x[i] * y[i];
    }
    return out;
  }

  /** Separable; the border's pixels are repeated. */
  private static float[] blur(float[] in, int width, int height) {
    float[] across = new float[in.length];
    float[] out = new float[in.length];
    int radius = KERNEL.length / 2;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        float sum = 0;
        for (int k = -radius; k <= radius; k++) {
          sum += KERNEL[k + radius] * in[y * width + Math.clamp(x + k, 0, width - 1)];
        }
        across[y * width + x] = sum;
      }
    }
    for (int y = 0; y < height; y++) {
      for (int k = -radius; k <= radius; k++) {
        int from = Math.clamp(y + k, 0, height - 1) * width;
        float weight = KERNEL[k + radius];
        for (int x = 0; x < width; x++) {
          out[y * width + x] += weight * across[from + x];
        }
      }
    }
    return out;
  }

  /** Three planes of one size: linear light, or L*a*b* brought to 0 to 1. */
  private record Planes(int width, int height, float[][] values) {
    static Planes of(BufferedImage image) {
      int width = image.getWidth();
      int height = image.getHeight();
      int[] pixels = image.getRGB(0, 0, width, height, null, 0, width);
      float[][] rgb = new float[3][pixels.length];
      for (int i = 0; i < pixels.length; i++) {
        rgb[0][i] = LINEAR[pixels[i] >> 16 & 0xff];
        rgb[1][i] = LINEAR[pixels[i] >> 8 & 0xff];
        rgb[2][i] = LINEAR[pixels[i] & 0xff];
      }
      return new Planes(width, height, rgb);
    }

    Planes half() {
      int w = width / 2;
      int h = height / 2;
      float[][] out = new float[3][w * h];
      for (int channel = 0; channel < 3; channel++) {
        float[] in = values[channel];
        for (int y = 0; y < h; y++) {
          for (int x = 0; x < w; x++) {
            int at = 2 * y * width + 2 * x;
            out[channel][y * w + x] =
                (in[at] + in[at + 1] + in[at + width] + in[at + width + 1]) / 4;
          }
        }
      }
      return new Planes(w, h, out);
    }

    /** CIE 1976 L*a*b* under D65; L* / 100, a* and b* around one half in 220ths. */
    Planes lab() {
      float[][] out = new float[3][values[0].length];
      for (int i = 0; i < values[0].length; i++) {
        float r = values[0][i];
        float g = values[1][i];
        float b = values[2][i];
        double x = root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        double y = root(0.2126 * r + 0.7152 * g + 0.0722 * b);
        double z = root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        out[0][i] = (float) (1.16 * y - 0.16);
        out[1][i] = (float) (0.5 + 500 * (x - y) / 220);
        out[2][i] = (float) (0.5 + 200 * (y - z) / 220);
      }
      return new Planes(width, height, out);
    }

    private static double root(double t) {
      return t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16.0 / 116;
    }
  }

  private static float[] kernel(double sigma, int radius) {
    float[] out = new float[2 * radius + 1];
    double sum = 0;
    for (int i = -radius; i <= radius; i++) {
      out[i + radius] = (float) Math.exp(-i * i / (2 * sigma * sigma));
      sum += out[i + radius];
    }
    for (int i = 0; i < out.length; i++) {
      out[i] /= (float) sum;
    }
    return out;
  }

  private static float[] linear() {
    float[] out = new float[256];
    for (int i = 0; i < 256; i++) {
      double v = i / 255.0;
      out[i] = (float) (v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4));
    }
    return out;
  }
}
