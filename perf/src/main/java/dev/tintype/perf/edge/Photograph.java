package dev.tintype.perf.edge;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/**
 * A synthetic photograph: a sky with clouds, ridges of textured ground that grow sharper towards
 * the viewer, hard-edged foreground, and a sensor's noise. Its spectrum falls as 1/f, as that of
 * photographs does, which is what encoders are tuned for; flat test cards would flatter them.
 */
final class Photograph {
  private static final int PNG_HEADER_BYTES = 33;
  private static final int OCTAVES = 8;

  /** Standard deviation of the noise of a good sensor at low ISO, in steps of 8 bits. */
  private static final double SENSOR_NOISE = 1.5;

  private final int side;
  private final long seed;

  private Photograph(int side, long seed) {
    this.side = side;
    this.seed = seed;
  }

  /**
   * Side x side px, RGB, 8 bits; the same seed gives the same picture.
   *
   * @param side width and height, px
   */
  static BufferedImage of(int side, long seed) {
    return new Photograph(side, seed).image();
  }

  /** The picture as PNG, as the JDK writes it. */
  static byte[] png(BufferedImage image) {
    try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
      ImageIO.write(image, "png", out);
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same pixels under another SHA-256: a chunk of text says which copy it is. */
  static byte[] copy(byte[] png, int number) {
    byte[] text = ("Comment\0copy " + number).getBytes(StandardCharsets.ISO_8859_1);
    byte[] name = "tEXt".getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(text);
    return ByteBuffer.allocate(png.length + text.length + 12)
        .put(png, 0, PNG_HEADER_BYTES)
        .putInt(text.length)
        .put(name)
        .put(text)
        .putInt((int) crc.getValue())
        .put(png, PNG_HEADER_BYTES, png.length - PNG_HEADER_BYTES)
        .array();
  }

  private BufferedImage image() {
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    SplittableRandom sensor = new SplittableRandom(seed);
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        double[] rgb = colour((double) x / side, (double) y / side);
        int packed = 0;
        for (double channel : rgb) {
          double noisy = 255 * channel + SENSOR_NOISE * sensor.nextGaussian();
          packed = (packed << 8) | Math.clamp(Math.round(noisy), 0, 255);
        }
        image.setRGB(x, y, packed);
      }
    }
    return image;
  }

  /** The light that comes from a place of the scene; coordinates from 0 to 1. */
  private double[] colour(double x, double y) {
    double cloud = Math.clamp(2.2 * (turbulence(x * 3, y * 6, 1) - 0.45), 0, 1);
    double[] light = mix(mix(sky(0.25, 0.45, 0.8), sky(0.9, 0.8, 0.65), y * 1.6), white(), cloud);
    for (int ridge = 0; ridge < 4; ridge++) {
      double height = 0.42 + 0.14 * ridge - 0.16 * turbulence(x * (2 + ridge), ridge * 7.3, 2);
      if (y > height) {
        double texture = turbulence(x * 20 * (ridge + 1), y * 30 * (ridge + 1), 3 + ridge);
        double shade = 0.25 + 0.9 * texture;
        double[] ground = {0.30 * shade + 0.06, 0.38 * shade + 0.05, 0.20 * shade + 0.05};
        light = mix(ground, sky(0.6, 0.66, 0.72), 0.6 - 0.2 * ridge);
      }
    }
    return fence(x, y) ? new double[] {0.35, 0.2, 0.12} : light;
  }

  /** Thin, hard edges, as of branches and masts: what compresses worst. */
  private static boolean fence(double x, double y) {
    double post = Math.abs((x * 9) % 1 - 0.5);
    return y > 0.7 && y < 0.95 && (post < 0.02 || Math.abs(y - 0.76 - 0.02 * x) < 0.004);
  }

  private static double[] sky(double r, double g, double b) {
    return new double[] {r, g, b};
  }

  private static double[] white() {
    return sky(0.97, 0.97, 0.98);
  }

  private static double[] mix(double[] a, double[] b, double share) {
    double t = Math.clamp(share, 0, 1);
    double[] out = new double[3];
    for (int i = 0; i < 3; i++) {
      out[i] = a[i] + (b[i] - a[i]) * t;
    }
    return out;
  }

  /** Sum of octaves of value noise, each with twice the frequency and half the height; 0 to 1. */
  private double turbulence(double x, double y, int layer) {
    double sum = 0;
    double weight = 0.5;
    double frequency = 1;
    for (int octave = 0; octave < OCTAVES; octave++) {
      sum += weight * noise(x * frequency, y * frequency, layer * 31L + octave);
      frequency *= 2;
      weight /= 2;
    }
    return sum;
  }

  private double noise(double x, double y, long layer) {
    long column = (long) Math.floor(x);
    long row = (long) Math.floor(y);
    double u = smooth(x - column);
    double v = smooth(y - row);
    double top = lattice(column, row, layer) * (1 - u) + lattice(column + 1, row, layer) * u;
    double low =
        lattice(column, row + 1, layer) * (1 - u) + lattice(column + 1, row + 1, layer) * u;
    return top * (1 - v) + low * v;
  }

  private static double smooth(double t) {
    return t * t * (3 - 2 * t);
  }

  /** A hash of the place as a number from 0 to 1 (the finalizer of MurmurHash3). */
  private double lattice(long column, long row, long layer) {
    long h =
        seed
            + column * 0x9E3779B97F4A7C15L
            + row * 0xC2B2AE3D27D4EB4FL
            + layer * 0x165667B19E3779F9L;
    h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
    h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return ((h ^ (h >>> 33)) >>> 11) * 0x1p-53;
  }
}
