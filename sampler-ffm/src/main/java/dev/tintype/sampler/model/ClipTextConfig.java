package dev.tintype.sampler.model;

import dev.tintype.sampler.ops.Activation;

/**
 * config.json of a {@code CLIPTextModel} or {@code CLIPTextModelWithProjection}.
 *
 * @param eosTokenId the token whose state is the pooled output; 2 is the value of old configs,
 *     which means the highest id of the sequence
 * @param projectionDim width of the projected pooled output
 */
public record ClipTextConfig(
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int positions,
    Activation activation,
    double normEpsilon,
    int eosTokenId,
    int projectionDim) {
  static final int LEGACY_EOS = 2;

  private static final int SIZE_MAX = 65_536;
  private static final int LAYERS_MAX = 128;
  private static final int VOCAB_MAX = 4_000_000;

  public static ClipTextConfig read(ConfigReader json) {
    ClipTextConfig config =
        new ClipTextConfig(
            json.integer("vocab_size", 49_408, 1, VOCAB_MAX),
            json.integer("hidden_size", 512, 1, SIZE_MAX),
            json.integer("intermediate_size", 2_048, 1, SIZE_MAX),
            json.integer("num_hidden_layers", 12, 1, LAYERS_MAX),
            json.integer("num_attention_heads", 8, 1, SIZE_MAX),
            json.integer("max_position_embeddings", 77, 1, SIZE_MAX),
            activation(json),
            json.number("layer_norm_eps", 1e-5, 0, 1),
            json.integer("eos_token_id", 49_407, 0, VOCAB_MAX),
            json.integer("projection_dim", 512, 1, SIZE_MAX));
    json.absent("use_attention_mask");
    json.check(
        config.hiddenSize % config.heads == 0,
        "hidden_size must be a multiple of num_attention_heads");
    return config;
  }

  static Activation activation(ConfigReader json) {
    String name = json.oneOf("hidden_act", "quick_gelu", "quick_gelu", "gelu");
    return name.equals("gelu") ? Activation.GELU : Activation.QUICK_GELU;
  }
}
