package dev.tintype.sampler.model;

import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * config.json of an {@code AutoencoderKL}.
 *
 * @param scalingFactor what latents are multiplied with after encoding, divided by before decoding
 * @param latentsMean per channel, empty for most models; with {@code latentsStd}, the normalisation
 *     of latents that SDXL's pipeline applies before decoding
 */
public record AutoencoderKlConfig(
    int inChannels,
    int outChannels,
    int latentChannels,
    List<Integer> blockOutChannels,
    int layersPerBlock,
    int normGroups,
    double scalingFactor,
    Optional<Double> shiftFactor,
    List<Double> latentsMean,
    List<Double> latentsStd,
    boolean quantConv,
    boolean postQuantConv,
    boolean midAttention) {
  /** Of every GroupNorm in the VAE, fixed in the published class. */
  static final double NORM_EPSILON = 1e-6;

  private static final int LEVELS_MAX = 8;
  private static final int CHANNELS_MAX = 8_192;
  private static final int LAYERS_MAX = 32;

  public static AutoencoderKlConfig read(ConfigReader json) {
    json.oneOf("act_fn", "silu", "silu", "swish");
    List<Integer> channels = json.integers("block_out_channels", LEVELS_MAX, 1, CHANNELS_MAX);
    int levels = channels.size();
    json.texts("down_block_types", levels, List.of("DownEncoderBlock2D"));
    json.texts("up_block_types", levels, List.of("UpDecoderBlock2D"));
    int groups = json.integer("norm_num_groups", 32, 1, CHANNELS_MAX);
    for (int c : channels) {
      json.check(c % groups == 0, "block_out_channels must be multiples of norm_num_groups");
    }
    int latent = json.integer("latent_channels", 4, 1, CHANNELS_MAX);
    List<Double> mean = json.numbers("latents_mean", latent);
    List<Double> std = json.numbers("latents_std", latent);
    json.check(
        mean.size() == std.size() && (mean.isEmpty() || mean.size() == latent),
        "latents_mean and latents_std must both have latent_channels numbers");
    return new AutoencoderKlConfig(
        json.integer("in_channels", 3, 1, CHANNELS_MAX),
        json.integer("out_channels", 3, 1, CHANNELS_MAX),
        latent,
        channels,
        json.integer("layers_per_block", 1, 1, LAYERS_MAX),
        groups,
        json.number("scaling_factor", 0.18215, 1e-6, 1e6),
        json.has("shift_factor")
            ? Optional.of(json.number("shift_factor", 0, -1e6, 1e6))
            : Optional.empty(),
        mean,
        std,
        json.flag("use_quant_conv", true),
        json.flag("use_post_quant_conv", true),
        json.flag("mid_block_add_attention", true));
  }

  /** Pixels per latent element in each direction. */
  public int scaleFactor() {
    return 1 << (blockOutChannels.size() - 1);
  }

  List<Integer> channelsUp() {
    List<Integer> reversed = new java.util.ArrayList<>(blockOutChannels);
    Collections.reverse(reversed);
    return reversed;
  }
}
