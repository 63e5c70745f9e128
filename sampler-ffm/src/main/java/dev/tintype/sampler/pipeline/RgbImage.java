package dev.tintype.sampler.pipeline;

/**
 * A picture of 8-bit sRGB.
 *
 * @param rgb three bytes per pixel, row by row from the top left; not copied
 */
public record RgbImage(int width, int height, byte[] rgb) {
  public RgbImage {
    if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
      throw new RecipeException(
          "recipe.image",
          width + "x" + height + " picture with " + rgb.length + " bytes, expected 3 per pixel");
    }
  }

  /** The same picture with values in [0, 1]. */
  public Picture toPicture() {
    float[] values = new float[rgb.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (rgb[i] & 0xff) / 255f;
    }
    return new Picture(width, height, 3, values);
  }
}
