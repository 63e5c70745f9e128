package dev.tintype.sampler.model;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.nn.Attention;
import dev.tintype.sampler.nn.BlockSpec;
import dev.tintype.sampler.nn.Conv2d;
import dev.tintype.sampler.nn.DownBlock2D;
import dev.tintype.sampler.nn.GroupNorm;
import dev.tintype.sampler.nn.Linear;
import dev.tintype.sampler.nn.Parameters;
import dev.tintype.sampler.nn.SkipConnections;
import dev.tintype.sampler.nn.Tensors;
import dev.tintype.sampler.nn.TextStates;
import dev.tintype.sampler.nn.TimeProjections;
import dev.tintype.sampler.nn.TimestepEmbedding;
import dev.tintype.sampler.nn.UNetMidBlock2DCrossAttn;
import dev.tintype.sampler.nn.UpBlock2D;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.weights.WeightSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * The denoiser: a noisy latent [n, h, w, in], a timestep per item and the encoded prompts to the
 * model's prediction [n, h, w, out] (diffusers {@code UNet2DConditionModel}; Stable Diffusion 1.x,
 * 2.x, SDXL and their inpainting variants).
 *
 * <p>A step is three calls, of which the first two are made once per prompt, for all steps: {@link
 * #encodeText}, {@link #embedTime}, {@link #forward}.
 */
public final class UNet2DConditionModel implements AutoCloseable {
  private final UNet2DConditionConfig config;
  private final Ops ops;
  private final Parameters parameters;
  private final List<Attention> crossAttentions = new ArrayList<>();

  private final Conv2d convIn;
  private final TimestepEmbedding timeEmbedding;
  private final Optional<TimestepEmbedding> addEmbedding;
  private final TimeProjections timeProjections;
  private final Linear timeProjection;
  private final List<DownBlock2D> downBlocks;
  private final UNetMidBlock2DCrossAttn midBlock;
  private final List<UpBlock2D> upBlocks;
  private final GroupNorm convNormOut;
  private final Conv2d convOut;

  private UNet2DConditionModel(UNet2DConditionConfig config, Parameters p) {
    this.config = config;
    this.ops = p.ops();
    this.parameters = p;
    int first = config.blockOutChannels().getFirst();
    convIn =
        new Conv2d(p.below("conv_in"), config.inChannels(), first, same(config.convInKernel()));
    timeEmbedding = new TimestepEmbedding(p.below("time_embedding"), first, config.timeEmbedDim());
    addEmbedding =
        config
            .addition()
            .map(
                a ->
                    new TimestepEmbedding(
                        p.below("add_embedding"), a.inputDim(), config.timeEmbedDim()));
    timeProjections = new TimeProjections(config.timeEmbedDim());
    downBlocks = downBlocks(p);
    midBlock = midBlock(p);
    upBlocks = upBlocks(p);
    timeProjection = timeProjections.joined();
    convNormOut =
        new GroupNorm(p.below("conv_norm_out"), first, config.normGroups(), config.normEpsilon());
    convOut =
        new Conv2d(p.below("conv_out"), first, config.outChannels(), same(config.convOutKernel()));
  }

  /** Prepares the weights of a checkpoint on the device. */
  public static UNet2DConditionModel load(
      UNet2DConditionConfig config, WeightSource weights, Ops ops) {
    Parameters parameters = Parameters.of(ops, weights);
    try {
      return new UNet2DConditionModel(config, parameters);
    } catch (RuntimeException e) {
      parameters.close();
      throw e;
    }
  }

  private static Conv2dGeometry same(int kernel) {
    return Conv2dGeometry.square(kernel, 1, (kernel - 1) / 2);
  }

  private List<DownBlock2D> downBlocks(Parameters p) {
    List<DownBlock2D> blocks = new ArrayList<>();
    int in = config.blockOutChannels().getFirst();
    for (int i = 0; i < config.levels(); i++) {
      BlockSpec spec = spec(i, in, config.layersPerBlock().get(i), config.downAttention().get(i));
      boolean last = i == config.levels() - 1;
      Parameters block = p.below("down_blocks", i);
      blocks.add(new DownBlock2D(block, spec, !last, config.downsamplePadding(), crossAttentions));
      in = config.blockOutChannels().get(i);
    }
    return blocks;
  }

  private UNetMidBlock2DCrossAttn midBlock(Parameters p) {
    int last = config.levels() - 1;
    BlockSpec spec = spec(last, config.blockOutChannels().get(last), 2, true);
    return new UNetMidBlock2DCrossAttn(p.below("mid_block"), spec, crossAttentions);
  }

  private List<UpBlock2D> upBlocks(Parameters p) {
    List<UpBlock2D> blocks = new ArrayList<>();
    int in = config.blockOutChannels().getLast();
    for (int i = 0; i < config.levels(); i++) {
      int level = config.levels() - 1 - i;
      int skipIn = config.blockOutChannels().get(Math.max(level - 1, 0));
      BlockSpec spec =
          spec(level, in, config.layersPerBlock().get(level) + 1, config.upAttention().get(i));
      blocks.add(new UpBlock2D(p.below("up_blocks", i), spec, skipIn, level > 0, crossAttentions));
      in = config.blockOutChannels().get(level);
    }
    return blocks;
  }

  private BlockSpec spec(int level, int in, int resnets, boolean attention) {
    return new BlockSpec(
        in,
        config.blockOutChannels().get(level),
        timeProjections,
        resnets,
        attention ? config.transformerLayers().get(level) : 0,
        config.heads().get(level),
        config.crossAttentionDim().get(level),
        config.normGroups(),
        config.normEpsilon(),
        config.linearProjection());
  }

  public UNet2DConditionConfig config() {
    return config;
  }

  /** Keys and values of every cross-attention, from encoded prompts [n, tokens, channels]. */
  public TextStates encodeText(Tensor encoderHiddenStates) {
    return TextStates.of(crossAttentions, encoderHiddenStates);
  }

  /**
   * What the residual blocks add of the time embedding, [n, channels of all of them], one row per
   * timestep.
   *
   * @param added SDXL's conditioning for the same n rows; present exactly when the model has it
   */
  public Tensor embedTime(double[] timesteps, Optional<AddedConditions> added) {
    return embedTime(timesteps, added, Tap.NONE);
  }

  private Tensor embedTime(double[] timesteps, Optional<AddedConditions> added, Tap tap) {
    if (added.isPresent() != addEmbedding.isPresent()) {
      throw new IllegalArgumentException("added conditions do not fit the model");
    }
    Tensor embedded =
        consume(
            ops.timestepEmbedding(
                timesteps,
                config.blockOutChannels().getFirst(),
                config.flipSinToCos(),
                config.freqShift()),
            timeEmbedding::forward);
    tap.accept("time_embedding", embedded);
    if (added.isPresent()) {
      AddedConditions conditions = added.get();
      embedded = consume(embedded, e -> consume(embedAdded(conditions), a -> ops.add(e, a)));
    }
    return consume(
        embedded, e -> consume(ops.activate(e, Activation.SILU), timeProjection::forward));
  }

  /** Sizes and crops as sinusoids beside the pooled text, through two linear layers. */
  private Tensor embedAdded(AddedConditions added) {
    int dim = config.addition().orElseThrow().timeEmbedDim();
    int rows = added.timeIds().length;
    double[] flat =
        java.util.Arrays.stream(added.timeIds())
            .flatMapToDouble(java.util.Arrays::stream)
            .toArray();
    Tensor sizes = ops.timestepEmbedding(flat, dim, config.flipSinToCos(), config.freqShift());
    Tensor joined =
        consume(
            sizes,
            s ->
                ops.concatChannels(
                    List.of(added.textEmbeds(), s.reshape(rows, (long) flat.length / rows * dim))));
    return consume(joined, addEmbedding.orElseThrow()::forward);
  }

  /**
   * Predicts. {@code text} may have a multiple of the rows of {@code sample}, [uncond of all
   * samples, text of all samples]: then what does not depend on the text is computed once.
   *
   * @param sample [n, h, w, in], kept open
   * @param time of {@link #embedTime}, as many rows as {@code text}
   * @return [rows of text, h, w, out]
   */
  public Tensor forward(Tensor sample, Tensor time, TextStates text) {
    return forward(sample, time, text, Tap.NONE);
  }

  /** As the other, for item-wise timesteps, showing the outputs of inner blocks. */
  public Tensor forward(
      Tensor sample,
      double[] timesteps,
      Tensor encoderHiddenStates,
      Optional<AddedConditions> added,
      Tap tap) {
    try (TextStates text = encodeText(encoderHiddenStates);
        Tensor time = embedTime(timesteps, added, tap)) {
      return forward(sample, time, text, tap);
    }
  }

  private Tensor forward(Tensor sample, Tensor time, TextStates text, Tap tap) {
    // With SDXL's pooled text in the time embedding, even the first block differs between prompts.
    long rows = config.addition().isPresent() ? text.rows() : sample.shape().dim(0);
    try (SkipConnections skips = new SkipConnections()) {
      Tensor hidden = skips.push(repeated(convIn.forward(sample), rows));
      tap.accept("conv_in", hidden);
      for (int i = 0; i < downBlocks.size(); i++) {
        hidden = downBlocks.get(i).forward(hidden, time, text, skips);
        tap.accept("down_blocks." + i, hidden);
      }
      hidden = midBlock.forward(hidden, time, text);
      tap.accept("mid_block", hidden);
      for (int i = 0; i < upBlocks.size(); i++) {
        hidden = upBlocks.get(i).forward(hidden, time, text, skips);
        tap.accept("up_blocks." + i, hidden);
      }
      hidden = consume(hidden, h -> convNormOut.forward(h, Activation.SILU));
      return consume(hidden, convOut::forward);
    }
  }

  private Tensor repeated(Tensor x, long rows) {
    return x.shape().dim(0) == rows ? x : consume(x, t -> Tensors.repeat(ops, t, rows));
  }

  /** Bytes of device memory that the weights hold. */
  public long bytes() {
    return parameters.bytes();
  }

  @Override
  public void close() {
    parameters.close();
  }

  /**
   * SDXL's extra conditioning.
   *
   * @param textEmbeds pooled text, [n, channels]; the caller closes it
   * @param timeIds per row: original height and width, crop top and left, target height and width
   */
  public record AddedConditions(Tensor textEmbeds, double[][] timeIds) {}

  /** Sees the output of inner blocks under diffusers' names, while it is alive. */
  @FunctionalInterface
  public interface Tap extends BiConsumer<String, Tensor> {
    Tap NONE = (name, tensor) -> {};
  }
}
