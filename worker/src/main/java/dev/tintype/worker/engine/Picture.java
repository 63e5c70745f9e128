package dev.tintype.worker.engine;

import java.util.Objects;

/**
 * A decoded picture.
 *
 * @param width pixels
 * @param height pixels
 * @param rgb [height, width, 3] bytes, sRGB
 */
public record Picture(int width, int height, byte[] rgb) {
  public Picture {
    Objects.requireNonNull(rgb);
    if (width < 1
        || height < 1
        || rgb.length != Math.multiplyExact(Math.multiplyExact(width, height), 3)) {
      throw new IllegalArgumentException(
          "A picture of " + width + " x " + height + " does not have " + rgb.length + " bytes.");
    }
  }
}
