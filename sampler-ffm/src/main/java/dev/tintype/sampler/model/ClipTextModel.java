package dev.tintype.sampler.model;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.nn.LayerNorm;
import dev.tintype.sampler.nn.Linear;
import dev.tintype.sampler.nn.Parameters;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.WeightSource;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * CLIP's text encoder, token ids to states (transformers {@code CLIPTextModel} and {@code
 * CLIPTextModelWithProjection}). Published checkpoints begin their keys with {@code text_model.},
 * newer ones do not: both are read.
 */
public final class ClipTextModel implements AutoCloseable {
  private final ClipTextConfig config;
  private final Ops ops;
  private final Parameters parameters;
  private final PreparedWeights.Table tokenEmbedding;
  private final PreparedWeights.Table positionEmbedding;
  private final ClipEncoder encoder;
  private final LayerNorm finalLayerNorm;
  private final Optional<Linear> textProjection;

  private ClipTextModel(ClipTextConfig config, Parameters root) {
    this.config = config;
    this.ops = root.ops();
    this.parameters = root;
    Parameters p = root.containsBelow("text_model") ? root.below("text_model") : root;
    tokenEmbedding =
        p.below("embeddings.token_embedding").table(config.vocabSize(), config.hiddenSize());
    positionEmbedding =
        p.below("embeddings.position_embedding").table(config.positions(), config.hiddenSize());
    encoder =
        new ClipEncoder(
            p.below("encoder"),
            config.layers(),
            config.hiddenSize(),
            config.intermediateSize(),
            config.heads(),
            config.activation(),
            config.normEpsilon());
    finalLayerNorm =
        new LayerNorm(p.below("final_layer_norm"), config.hiddenSize(), config.normEpsilon());
    textProjection =
        root.contains("text_projection.weight")
            ? Optional.of(
                Linear.withoutBias(
                    root.below("text_projection"), config.hiddenSize(), config.projectionDim()))
            : Optional.empty();
  }

  /** Prepares the weights of a checkpoint on the device. */
  public static ClipTextModel load(ClipTextConfig config, WeightSource weights, Ops ops) {
    Parameters parameters = Parameters.of(ops, weights);
    try {
      return new ClipTextModel(config, parameters);
    } catch (RuntimeException e) {
      parameters.close();
      throw e;
    }
  }

  public ClipTextConfig config() {
    return config;
  }

  /** Whether the pooled output is projected, as SDXL's second encoder does. */
  public boolean hasProjection() {
    return textProjection.isPresent();
  }

  /**
   * Encodes a batch of token sequences of one length.
   *
   * @param skip how many of the last layers {@code hidden} leaves out, 0 to the layer count
   */
  public Encoded encode(int[][] ids, int skip) {
    check(ids, skip);
    int kept = config.layers() - skip;
    Tensor hidden = encoder.forward(embed(ids), kept, true);
    try {
      Tensor last = hidden;
      for (int i = kept; i < config.layers(); i++) {
        last = step(i, last, hidden);
      }
      Tensor normed =
          last == hidden ? finalLayerNorm.forward(last) : consume(last, finalLayerNorm::forward);
      try {
        return new Encoded(hidden, normed, pooled(ids, normed));
      } catch (RuntimeException e) {
        normed.close();
        throw e;
      }
    } catch (RuntimeException e) {
      hidden.close();
      throw e;
    }
  }

  private Tensor step(int index, Tensor last, Tensor keep) {
    return last == keep
        ? encoder.layer(index, last, true)
        : consume(last, x -> encoder.layer(index, x, true));
  }

  /** The final LayerNorm, which diffusers applies to the states of a skipped layer too. */
  public Tensor finalLayerNorm(Tensor hidden) {
    return finalLayerNorm.forward(hidden);
  }

  private Tensor embed(int[][] ids) {
    int[] positions = IntStream.range(0, ids[0].length).toArray();
    int[][] everyRow = new int[ids.length][];
    Arrays.fill(everyRow, positions);
    return consume(
        ops.embed(ids, tokenEmbedding),
        tokens -> consume(ops.embed(everyRow, positionEmbedding), at -> ops.add(tokens, at)));
  }

  private Tensor pooled(int[][] ids, Tensor lastHiddenState) {
    int[] index = Arrays.stream(ids).mapToInt(this::pooledToken).toArray();
    Tensor pooled = ops.selectTokens(lastHiddenState, index);
    return textProjection.isPresent() ? consume(pooled, textProjection.get()::forward) : pooled;
  }

  /** The first end token; with the old configs' id 2, the first of the highest id instead. */
  private int pooledToken(int[] ids) {
    boolean legacy = config.eosTokenId() == ClipTextConfig.LEGACY_EOS;
    int wanted = legacy ? Arrays.stream(ids).max().orElseThrow() : config.eosTokenId();
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == wanted) {
        return i;
      }
    }
    return 0;
  }

  private void check(int[][] ids, int skip) {
    if (skip < 0 || skip > config.layers()) {
      throw new IllegalArgumentException("skip " + skip + " of " + config.layers() + " layers");
    }
    for (int[] row : ids) {
      if (row.length != ids[0].length || row.length > config.positions()) {
        throw new IllegalArgumentException("at most " + config.positions() + " tokens in each row");
      }
      for (int id : row) {
        if (id < 0 || id >= config.vocabSize()) {
          throw new IllegalArgumentException("token " + id + " of " + config.vocabSize());
        }
      }
    }
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
   * What the encoder says.
   *
   * @param hidden output of the last layer not skipped, before the final LayerNorm, [n, tokens, c]
   * @param lastHiddenState output of all layers after the final LayerNorm, [n, tokens, c]
   * @param pooled state of the end token, projected where the model has a projection, [n, c]
   */
  public record Encoded(Tensor hidden, Tensor lastHiddenState, Tensor pooled)
      implements AutoCloseable {
    @Override
    public void close() {
      hidden.close();
      lastHiddenState.close();
      pooled.close();
    }
  }
}
