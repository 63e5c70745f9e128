package dev.tintype.worker.picture;

import dev.tintype.worker.engine.Picture;
import java.util.Arrays;
import java.util.Base64;

/**
 * ThumbHash (Evan Wallace, 2023; evanw.github.io/thumbhash): about 25 bytes that a page decodes to
 * a blurred stand-in while the picture loads. Luminance and two colour differences, each as its
 * lowest cosines in 4 bits. For pictures without transparency.
 */
public final class ThumbHash {
  /** The format's own bound on what is analysed. */
  private static final int SIDE_PIXELS_MAX = 100;

  private static final int LUMINANCE_TERMS = 7;
  private static final int COLOUR_TERMS = 3;
  private static final int HEADER_BYTES = 5;

  private ThumbHash() {}

  /** Base64 of the hash. */
  public static String base64(Picture picture) {
    return Base64.getEncoder().encodeToString(of(picture));
  }

  static byte[] of(Picture whole) {
    Picture small = small(whole);
    int width = small.width();
    int height = small.height();
    int longer = Math.max(width, height);
    int termsX = Math.max(1, Math.round((float) LUMINANCE_TERMS * width / longer));
    int termsY = Math.max(1, Math.round((float) LUMINANCE_TERMS * height / longer));
    double[] luminance = new double[width * height];
    double[] yellowBlue = new double[width * height];
    double[] redGreen = new double[width * height];
    for (int i = 0; i < width * height; i++) {
      double r = (small.rgb()[3 * i] & 0xff) / 255.0;
      double g = (small.rgb()[3 * i + 1] & 0xff) / 255.0;
      double b = (small.rgb()[3 * i + 2] & 0xff) / 255.0;
      luminance[i] = (r + g + b) / 3;
      yellowBlue[i] = (r + g) / 2 - b;
      redGreen[i] = r - g;
    }
    Channel l = Channel.of(luminance, width, height, Math.max(3, termsX), Math.max(3, termsY));
    Channel p = Channel.of(yellowBlue, width, height, COLOUR_TERMS, COLOUR_TERMS);
    Channel q = Channel.of(redGreen, width, height, COLOUR_TERMS, COLOUR_TERMS);
    boolean landscape = width > height;
    int first =
        round(63 * l.mean)
            | round(31.5 + 31.5 * p.mean) << 6
            | round(31.5 + 31.5 * q.mean) << 12
            | round(31 * l.scale) << 18;
    int second =
        (landscape ? termsY : termsX)
            | round(63 * p.scale) << 3
            | round(63 * q.scale) << 9
            | (landscape ? 1 : 0) << 15;
    int terms = l.terms.length + p.terms.length + q.terms.length;
    byte[] hash = new byte[HEADER_BYTES + (terms + 1) / 2];
    hash[0] = (byte) first;
    hash[1] = (byte) (first >> 8);
    hash[2] = (byte) (first >> 16);
    hash[3] = (byte) second;
    hash[4] = (byte) (second >> 8);
    int nibble = 0;
    for (Channel channel : new Channel[] {l, p, q}) {
      for (double term : channel.terms) {
        hash[HEADER_BYTES + nibble / 2] |= (byte) (round(15 * term) << nibble % 2 * 4);
        nibble++;
      }
    }
    return hash;
  }

  private static Picture small(Picture whole) {
    int longer = Math.max(whole.width(), whole.height());
    if (longer <= SIDE_PIXELS_MAX) {
      return whole;
    }
    return Resampling.stretch(
        whole,
        Math.max(1, whole.width() * SIDE_PIXELS_MAX / longer),
        Math.max(1, whole.height() * SIDE_PIXELS_MAX / longer));
  }

  private static int round(double value) {
    return (int) Math.floor(value + 0.5);
  }

  /**
   * A channel's lowest cosines, below the diagonal.
   *
   * @param mean the constant term
   * @param terms the others, scaled to 0..1 about 0.5
   * @param scale largest magnitude of them
   */
  private record Channel(double mean, double[] terms, double scale) {
    static Channel of(double[] values, int width, int height, int termsX, int termsY) {
      double[] terms = new double[termsX * termsY];
      int count = 0;
      double mean = 0;
      double scale = 0;
      for (int cy = 0; cy < termsY; cy++) {
        for (int cx = 0; cx * termsY < termsX * (termsY - cy); cx++) {
          double term = cosine(values, width, height, cx, cy);
          if (cx == 0 && cy == 0) {
            mean = term;
          } else {
            terms[count++] = term;
            scale = Math.max(scale, Math.abs(term));
          }
        }
      }
      for (int i = 0; i < count; i++) {
        terms[i] = scale == 0 ? 0 : 0.5 + 0.5 / scale * terms[i];
      }
      return new Channel(mean, Arrays.copyOf(terms, count), scale);
    }

    /** StrictMath: the same hash on every machine. */
    private static double cosine(double[] values, int width, int height, int cx, int cy) {
      double[] across = new double[width];
      for (int x = 0; x < width; x++) {
        across[x] = StrictMath.cos(Math.PI / width * cx * (x + 0.5));
      }
      double sum = 0;
      for (int y = 0; y < height; y++) {
        double down = StrictMath.cos(Math.PI / height * cy * (y + 0.5));
        for (int x = 0; x < width; x++) {
          sum += values[y * width + x] * across[x] * down;
        }
      }
      return sum / (width * height);
    }
  }
}
