package dev.tintype.sampler.model;

/**
 * config.json of a Real-ESRGAN upscaler.
 *
 * @param scale 2 or 4
 */
public record RrdbNetConfig(int scale, int features, int blocks, int growth) {
  private static final int FEATURES_MAX = 1_024;
  private static final int BLOCKS_MAX = 128;

  public static RrdbNetConfig read(ConfigReader json) {
    json.oneOf("architecture", "RRDBNet", "RRDBNet");
    int scale = json.integer("scale", 4, 2, 4);
    json.check(scale != 3, "scale must be 2 or 4");
    return new RrdbNetConfig(
        scale,
        json.integer("num_feat", 64, 1, FEATURES_MAX),
        json.integer("num_block", 23, 1, BLOCKS_MAX),
        json.integer("num_grow_ch", 32, 1, FEATURES_MAX));
  }
}
