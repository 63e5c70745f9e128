package dev.tintype.edge.matrix;

import java.awt.image.BufferedImage;
import java.util.HexFormat;

/**
 * What a picture looks like, in a line of text: its size, how much detail it has, and the mean
 * colours of a grid of cells. Two encodings of one picture are near to each other; another crop,
 * another colour, a lost transparency or a forgotten blur are not.
 *
 * @param width px
 * @param height px
 * @param detail mean difference of the luma of neighbours, 0 to 255: a blur lowers it
 * @param colours red, green and blue of each cell, row by row; transparency is laid on magenta
 */
@SuppressWarnings("ArrayRecordComponent")
record PerceptualHash(int width, int height, double detail, byte[] colours) {
  private static final int GRID = 6;
  private static final int MAGENTA = 0xff00ff;

  static PerceptualHash of(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    int[] pixels = new int[width * height];
    image.getRGB(0, 0, width, height, pixels, 0, width);
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = onMagenta(pixels[i]);
    }
    byte[] colours = new byte[GRID * GRID * 3];
    for (int cell = 0; cell < GRID * GRID; cell++) {
      int left = cell % GRID * width / GRID;
      int top = cell / GRID * height / GRID;
      int right = Math.max(left + 1, (cell % GRID + 1) * width / GRID);
      int bottom = Math.max(top + 1, (cell / GRID + 1) * height / GRID);
      for (int channel = 0; channel < 3; channel++) {
        long sum = 0;
        for (int y = top; y < bottom; y++) {
          for (int x = left; x < right; x++) {
            sum += channel(pixels[y * width + x], channel);
          }
        }
        colours[cell * 3 + channel] =
            (byte) Math.round((double) sum / ((right - left) * (bottom - top)));
      }
    }
    return new PerceptualHash(width, height, detail(pixels, width, height), colours);
  }

  private static double detail(int[] pixels, int width, int height) {
    double sum = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 1; x < width; x++) {
        sum += Math.abs(luma(pixels[y * width + x]) - luma(pixels[y * width + x - 1]));
      }
    }
    return sum / Math.max(1, height * (width - 1));
  }

  private static int onMagenta(int argb) {
    int alpha = argb >>> 24;
    int mixed = 0;
    for (int channel = 0; channel < 3; channel++) {
      int under = channel(MAGENTA, channel);
      mixed = mixed << 8 | (channel(argb, channel) * alpha + under * (255 - alpha) + 127) / 255;
    }
    return mixed;
  }

  private static int channel(int rgb, int channel) {
    return rgb >> (16 - 8 * channel) & 0xff;
  }

  private static double luma(int rgb) {
    return 0.2126 * channel(rgb, 0) + 0.7152 * channel(rgb, 1) + 0.0722 * channel(rgb, 2);
  }

  /** Largest difference of a channel of a cell, 0 to 255. */
  int distance(PerceptualHash other) {
    int most = 0;
    for (int i = 0; i < colours.length; i++) {
      most = Math.max(most, Math.abs((colours[i] & 0xff) - (other.colours[i] & 0xff)));
    }
    return most;
  }

  String text() {
    return "%dx%d %.1f %s".formatted(width, height, detail, HexFormat.of().formatHex(colours));
  }

  static PerceptualHash parse(String text) {
    String[] parts = text.strip().split(" ");
    String[] size = parts[0].split("x");
    return new PerceptualHash(
        Integer.parseInt(size[0]),
        Integer.parseInt(size[1]),
        Double.parseDouble(parts[1]),
        HexFormat.of().parseHex(parts[2]));
  }
}
