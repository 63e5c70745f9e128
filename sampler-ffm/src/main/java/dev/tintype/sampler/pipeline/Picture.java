package dev.tintype.sampler.pipeline;

/**
 * A picture or a mask with values in [0, 1].
 *
 * @param channels 3 for a picture, 1 for a mask
 * @param values channels of each pixel together, row by row from the top left; not copied
 */
public record Picture(int width, int height, int channels, float[] values) {
  public Picture {
    if (width < 1
        || height < 1
        || (channels != 1 && channels != 3)
        || values.length != (long) channels * width * height) {
      throw new RecipeException(
          "recipe.image",
          width
              + "x"
              + height
              + " picture of "
              + channels
              + " channels with "
              + values.length
              + " values");
    }
    for (float value : values) {
      if (!(value >= 0 && value <= 1)) {
        throw new RecipeException(
            "recipe.image", "pixel values must be from 0 to 1, found " + value);
      }
    }
  }
}
