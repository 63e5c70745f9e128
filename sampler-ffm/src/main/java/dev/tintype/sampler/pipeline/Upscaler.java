package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.ConfigReader;
import dev.tintype.sampler.model.RrdbNet;
import dev.tintype.sampler.model.RrdbNetConfig;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.weights.Checkpoint;
import java.nio.file.Path;

/**
 * Makes pictures two or four times as large with a Real-ESRGAN network, tile by tile, so that
 * memory does not grow with the picture. Used by one thread at a time, like its device.
 */
public final class Upscaler implements AutoCloseable {
  private final Ops ops;
  private final RrdbNet network;
  private final Tiles tiles;

  /**
   * How a picture is cut.
   *
   * @param extent edge of a tile in pixels, even; memory grows with its square
   * @param overlap pixels that a tile sees beyond its edge, even; too few show as seams
   */
  public record Tiles(int extent, int overlap) {
    /** At 256 pixels and 64 features, one activation at scale 4 is 256 MiB of fp32. */
    public static final Tiles DEFAULT = new Tiles(256, 32);

    private static final int EXTENT_MAX = 4_096;

    public Tiles {
      boolean even = extent % 2 == 0 && overlap % 2 == 0;
      if (!even || extent < 2 || extent > EXTENT_MAX || overlap < 0 || overlap > EXTENT_MAX) {
        throw new RecipeException(
            "recipe.image", "tiles of " + extent + " and " + overlap + " pixels; use even numbers");
      }
    }
  }

  private Upscaler(Ops ops, RrdbNet network, Tiles tiles) {
    this.ops = ops;
    this.network = network;
    this.tiles = tiles;
  }

  /** Loads a folder with config.json and safetensors. */
  public static Upscaler load(Path folder, Device device, Tiles tiles) {
    RrdbNetConfig config = RrdbNetConfig.read(ConfigReader.ofFolder(folder));
    try (Checkpoint weights = Checkpoint.open(folder)) {
      return new Upscaler(device.ops(), RrdbNet.load(config, weights, device.ops()), tiles);
    }
  }

  /** 2 or 4. */
  public int scale() {
    return network.config().scale();
  }

  /**
   * @throws RecipeException {@code recipe.image} when the result would have more pixels than an
   *     array holds
   */
  public RgbImage upscale(RgbImage picture) {
    int scale = scale();
    long bytes = 3L * picture.width() * picture.height() * scale * scale;
    if (bytes > Integer.MAX_VALUE - 8) {
      throw new RecipeException(
          "recipe.image",
          picture.width() + "x" + picture.height() + " is too large to make " + scale + " times");
    }
    int width = picture.width() * scale;
    byte[] result = new byte[(int) bytes];
    for (int top = 0; top < picture.height(); top += tiles.extent) {
      for (int left = 0; left < picture.width(); left += tiles.extent) {
        tile(picture, left, top, result, width);
      }
    }
    return new RgbImage(width, picture.height() * scale, result);
  }

  /** Computes one tile with its surroundings and copies its own part. */
  private void tile(RgbImage picture, int left, int top, byte[] result, int resultWidth) {
    int scale = scale();
    int fromX = Math.max(0, left - tiles.overlap);
    int fromY = Math.max(0, top - tiles.overlap);
    int toX = Math.min(picture.width(), left + tiles.extent + tiles.overlap);
    int toY = Math.min(picture.height(), top + tiles.extent + tiles.overlap);
    int ownWidth = Math.min(tiles.extent, picture.width() - left) * scale;
    int ownHeight = Math.min(tiles.extent, picture.height() - top) * scale;
    try (Tensor input = cut(picture, fromX, fromY, toX, toY);
        Tensor larger = network.forward(input)) {
      float[] values = ops.download(larger);
      int width = larger.shape().intDim(2);
      for (int y = 0; y < ownHeight; y++) {
        int source = (((top - fromY) * scale + y) * width + (left - fromX) * scale) * 3;
        int target = ((top * scale + y) * resultWidth + left * scale) * 3;
        for (int i = 0; i < ownWidth * 3; i++) {
          result[target + i] = (byte) Math.round(Math.clamp(values[source + i], 0f, 1f) * 255);
        }
      }
    }
  }

  /** [1, h, w, 3] in [0, 1]; an odd edge is repeated once, since scale 2 folds pixels in pairs. */
  private Tensor cut(RgbImage picture, int fromX, int fromY, int toX, int toY) {
    int width = (toX - fromX + 1) / 2 * 2;
    int height = (toY - fromY + 1) / 2 * 2;
    float[] values = new float[height * width * 3];
    for (int i = 0; i < values.length; i++) {
      int x = Math.min(fromX + i / 3 % width, picture.width() - 1);
      int y = Math.min(fromY + i / 3 / width, picture.height() - 1);
      values[i] = (picture.rgb()[(y * picture.width() + x) * 3 + i % 3] & 0xff) / 255f;
    }
    return ops.upload(values, Shape.of(1, height, width, 3));
  }

  @Override
  public void close() {
    network.close();
  }
}
