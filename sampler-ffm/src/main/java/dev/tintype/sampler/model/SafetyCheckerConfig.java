package dev.tintype.sampler.model;

import dev.tintype.sampler.ops.Activation;

/** config.json of a {@code StableDiffusionSafetyChecker}: its vision model and the projection. */
public record SafetyCheckerConfig(
    int imageSize,
    int patchSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    Activation activation,
    double normEpsilon,
    int projectionDim) {
  private static final int SIZE_MAX = 65_536;
  private static final int LAYERS_MAX = 128;
  private static final int IMAGE_MAX = 4_096;

  public static SafetyCheckerConfig read(ConfigReader json) {
    ConfigReader vision = json.object("vision_config");
    vision.only("num_channels", 3);
    SafetyCheckerConfig config =
        new SafetyCheckerConfig(
            vision.integer("image_size", 224, 1, IMAGE_MAX),
            vision.integer("patch_size", 32, 1, IMAGE_MAX),
            vision.integer("hidden_size", 768, 1, SIZE_MAX),
            vision.integer("intermediate_size", 3_072, 1, SIZE_MAX),
            vision.integer("num_hidden_layers", 12, 1, LAYERS_MAX),
            vision.integer("num_attention_heads", 12, 1, SIZE_MAX),
            ClipTextConfig.activation(vision),
            vision.number("layer_norm_eps", 1e-5, 0, 1),
            json.integer("projection_dim", 512, 1, SIZE_MAX));
    json.check(
        config.hiddenSize % config.heads == 0 && config.patchSize <= config.imageSize,
        "hidden_size must be a multiple of num_attention_heads, patch_size at most image_size");
    return config;
  }

  int patchesPerSide() {
    return imageSize / patchSize;
  }
}
