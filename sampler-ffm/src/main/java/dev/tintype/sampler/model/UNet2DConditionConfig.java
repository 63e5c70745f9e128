package dev.tintype.sampler.model;

import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * config.json of a {@code UNet2DConditionModel}. Lists have one entry per level, outermost first.
 *
 * @param downAttention whether the level has cross-attention on the way down
 * @param upAttention the same on the way up, innermost level first
 * @param heads attention heads; diffusers calls the key attention_head_dim
 * @param addition the size and pooled-text conditioning of SDXL
 * @param sampleSize native latent extent in pixels
 */
public record UNet2DConditionConfig(
    int inChannels,
    int outChannels,
    List<Integer> blockOutChannels,
    List<Integer> layersPerBlock,
    List<Boolean> downAttention,
    List<Boolean> upAttention,
    List<Integer> heads,
    List<Integer> crossAttentionDim,
    List<Integer> transformerLayers,
    int normGroups,
    double normEpsilon,
    boolean linearProjection,
    boolean flipSinToCos,
    double freqShift,
    int downsamplePadding,
    int convInKernel,
    int convOutKernel,
    Optional<TextTime> addition,
    int sampleSize) {
  private static final int LEVELS_MAX = 8;
  private static final int CHANNELS_MAX = 16_384;
  private static final int LAYERS_MAX = 64;
  private static final int KERNEL_MAX = 31;
  private static final int SAMPLE_SIZE_MAX = 4_096;

  /**
   * SDXL's addition_embed_type "text_time".
   *
   * @param timeEmbedDim channels per size or crop number
   * @param inputDim pooled text and all size numbers together
   */
  public record TextTime(int timeEmbedDim, int inputDim) {}

  /**
   * @throws dev.tintype.sampler.config.ModelException {@code model.config} or {@code
   *     model.unsupported}
   */
  public static UNet2DConditionConfig read(ConfigReader json) {
    refuseUnsupported(json);
    List<Integer> channels = json.integers("block_out_channels", LEVELS_MAX, 1, CHANNELS_MAX);
    int levels = channels.size();
    List<Boolean> down = attention(json, "down_block_types", levels, "Down");
    List<Boolean> up = attention(json, "up_block_types", levels, "Up");
    List<Integer> heads = json.integerPerItem("attention_head_dim", 8, levels, 1, CHANNELS_MAX);
    int groups = json.integer("norm_num_groups", 32, 1, CHANNELS_MAX);
    for (int i = 0; i < levels; i++) {
      json.check(channels.get(i) % groups == 0, "block_out_channels must be whole norm_num_groups");
      boolean attends = down.get(i) || up.get(levels - 1 - i) || i == levels - 1;
      json.check(
          !attends || channels.get(i) % heads.get(i) == 0,
          "block_out_channels must be multiples of attention_head_dim (the number of heads)");
    }
    return new UNet2DConditionConfig(
        json.integer("in_channels", 4, 1, CHANNELS_MAX),
        json.integer("out_channels", 4, 1, CHANNELS_MAX),
        channels,
        json.integerPerItem("layers_per_block", 2, levels, 1, LAYERS_MAX),
        down,
        up,
        heads,
        json.integerPerItem("cross_attention_dim", 1280, levels, 1, CHANNELS_MAX),
        json.integerPerItem("transformer_layers_per_block", 1, levels, 1, LAYERS_MAX),
        groups,
        json.number("norm_eps", 1e-5, 0, 1),
        json.flag("use_linear_projection", false),
        json.flag("flip_sin_to_cos", true),
        json.number("freq_shift", 0, 0, 1),
        json.integer("downsample_padding", 1, 1, 1),
        oddKernel(json, "conv_in_kernel"),
        oddKernel(json, "conv_out_kernel"),
        addition(json),
        sampleSize(json));
  }

  /** One extent, or height and width, of which the larger is taken. */
  private static int sampleSize(ConfigReader json) {
    return Collections.max(json.integerPerItem("sample_size", 64, 2, 1, SAMPLE_SIZE_MAX));
  }

  private static void refuseUnsupported(ConfigReader json) {
    json.oneOf("act_fn", "silu", "silu", "swish");
    json.oneOf("mid_block_type", "UNetMidBlock2DCrossAttn", "UNetMidBlock2DCrossAttn");
    json.oneOf("resnet_time_scale_shift", "default", "default");
    json.oneOf("time_embedding_type", "positional", "positional");
    json.oneOf("attention_type", "default", "default");
    json.only("mid_block_scale_factor", 1);
    json.only("resnet_out_scale_factor", 1);
    json.absent(
        "center_input_sample",
        "only_cross_attention",
        "mid_block_only_cross_attention",
        "dual_cross_attention",
        "num_attention_heads",
        "encoder_hid_dim",
        "encoder_hid_dim_type",
        "class_embed_type",
        "num_class_embeds",
        "class_embeddings_concat",
        "resnet_skip_time_act",
        "time_embedding_dim",
        "time_embedding_act_fn",
        "timestep_post_act",
        "time_cond_proj_dim",
        "cross_attention_norm",
        "reverse_transformer_layers_per_block");
  }

  private static List<Boolean> attention(
      ConfigReader json, String key, int levels, String direction) {
    String with = "CrossAttn" + direction + "Block2D";
    String without = direction + "Block2D";
    return json.texts(key, levels, List.of(with, without)).stream().map(with::equals).toList();
  }

  private static int oddKernel(ConfigReader json, String key) {
    int kernel = json.integer(key, 3, 1, KERNEL_MAX);
    json.check(kernel % 2 == 1, key + " must be odd");
    return kernel;
  }

  private static Optional<TextTime> addition(ConfigReader json) {
    if (!json.has("addition_embed_type")) {
      return Optional.empty();
    }
    json.oneOf("addition_embed_type", "", "text_time");
    return Optional.of(
        new TextTime(
            json.integer("addition_time_embed_dim", 1, CHANNELS_MAX),
            json.integer("projection_class_embeddings_input_dim", 1, CHANNELS_MAX)));
  }

  public int levels() {
    return blockOutChannels.size();
  }

  int timeEmbedDim() {
    return 4 * blockOutChannels.getFirst();
  }

  /** A list of this config in the order of the way up. */
  static <T> List<T> reversed(List<T> perLevel) {
    List<T> copy = new java.util.ArrayList<>(perLevel);
    Collections.reverse(copy);
    return copy;
  }
}
