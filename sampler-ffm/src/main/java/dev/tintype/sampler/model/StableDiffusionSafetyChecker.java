package dev.tintype.sampler.model;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.nn.Conv2d;
import dev.tintype.sampler.nn.LayerNorm;
import dev.tintype.sampler.nn.Linear;
import dev.tintype.sampler.nn.Parameters;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import dev.tintype.sampler.weights.WeightSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Says whether a picture shows one of a list of concepts, by the cosine between its CLIP embedding
 * and theirs (diffusers {@code StableDiffusionSafetyChecker}).
 */
public final class StableDiffusionSafetyChecker implements AutoCloseable {
  /** What a hit on a special-care concept adds to the scores of the others. */
  private static final double SPECIAL_CARE_ADJUSTMENT = 0.01;

  private final SafetyCheckerConfig config;
  private final Ops ops;
  private final Parameters parameters;
  private final PreparedWeights.Table classEmbedding;
  private final Conv2d patchEmbedding;
  private final PreparedWeights.Table positionEmbedding;
  private final LayerNorm preLayerNorm;
  private final ClipEncoder encoder;
  private final LayerNorm postLayerNorm;
  private final Linear visualProjection;
  private final Concepts concepts;
  private final Concepts specialCare;

  private StableDiffusionSafetyChecker(SafetyCheckerConfig config, Parameters root) {
    this.config = config;
    this.ops = root.ops();
    this.parameters = root;
    Parameters p = root.below("vision_model");
    if (p.containsBelow("vision_model")) {
      p = p.below("vision_model");
    }
    int hidden = config.hiddenSize();
    int patch = config.patchSize();
    int tokens = config.patchesPerSide() * config.patchesPerSide() + 1;
    Parameters embeddings = p.below("embeddings");
    classEmbedding = embeddings.table(embeddings.get("class_embedding", hidden).reshape(1, hidden));
    patchEmbedding =
        new Conv2d(
            embeddings.below("patch_embedding"), 3, hidden, Conv2dGeometry.square(patch, patch, 0));
    positionEmbedding = embeddings.below("position_embedding").table(tokens, hidden);
    // The misspelling is in the published keys.
    preLayerNorm = new LayerNorm(p.below("pre_layrnorm"), hidden, config.normEpsilon());
    encoder =
        new ClipEncoder(
            p.below("encoder"),
            config.layers(),
            hidden,
            config.intermediateSize(),
            config.heads(),
            config.activation(),
            config.normEpsilon());
    postLayerNorm = new LayerNorm(p.below("post_layernorm"), hidden, config.normEpsilon());
    visualProjection =
        Linear.withoutBias(root.below("visual_projection"), hidden, config.projectionDim());
    concepts = Concepts.read(root, "concept_embeds", CONCEPTS, config.projectionDim());
    specialCare = Concepts.read(root, "special_care_embeds", SPECIAL_CARE, config.projectionDim());
  }

  private static final int CONCEPTS = 17;
  private static final int SPECIAL_CARE = 3;

  /** Prepares the weights of a checkpoint on the device. */
  public static StableDiffusionSafetyChecker load(
      SafetyCheckerConfig config, WeightSource weights, Ops ops) {
    Parameters parameters = Parameters.of(ops, weights);
    try {
      return new StableDiffusionSafetyChecker(config, parameters);
    } catch (RuntimeException e) {
      parameters.close();
      throw e;
    }
  }

  public SafetyCheckerConfig config() {
    return config;
  }

  /**
   * Checks pictures that CLIP's feature extractor has prepared.
   *
   * @param pixels [n, size, size, 3], normalised; kept open
   */
  public Verdict check(Tensor pixels) {
    float[][] embeds = embed(pixels);
    float[][] concept = concepts.cosines(embeds);
    float[][] care = specialCare.cosines(embeds);
    boolean[] flagged = new boolean[embeds.length];
    for (int i = 0; i < flagged.length; i++) {
      double adjustment = specialCare.exceeded(care[i], 0) ? SPECIAL_CARE_ADJUSTMENT : 0;
      flagged[i] = concepts.exceeded(concept[i], adjustment);
    }
    return new Verdict(embeds, concept, care, flagged);
  }

  private float[][] embed(Tensor pixels) {
    int rows = pixels.shape().intDim(0);
    Tensor patches = patchEmbedding.forward(pixels);
    Tensor tokens = consume(patches, this::withClassToken);
    int[][] positions = new int[rows][];
    Arrays.fill(positions, IntStream.range(0, tokens.shape().intDim(1)).toArray());
    Tensor hidden =
        consume(
            tokens, t -> consume(ops.embed(positions, positionEmbedding), at -> ops.add(t, at)));
    hidden = consume(hidden, preLayerNorm::forward);
    hidden = encoder.forward(hidden, config.layers(), false);
    Tensor pooled = consume(hidden, h -> ops.selectTokens(h, new int[rows]));
    pooled = consume(pooled, postLayerNorm::forward);
    try (Tensor projected = consume(pooled, visualProjection::forward)) {
      float[] flat = ops.download(projected);
      int width = config.projectionDim();
      float[][] embeds = new float[rows][];
      for (int i = 0; i < rows; i++) {
        embeds[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
      }
      return embeds;
    }
  }

  /** [n, h, w, c] to [n, 1 + h * w, c], the class embedding first. */
  private Tensor withClassToken(Tensor patches) {
    int rows = patches.shape().intDim(0);
    int hidden = config.hiddenSize();
    long count = patches.shape().dim(1) * patches.shape().dim(2);
    try (Tensor classToken = ops.embed(new int[][] {{0}}, classEmbedding)) {
      List<Tensor> parts = new ArrayList<>();
      for (int i = 0; i < rows; i++) {
        parts.add(classToken.reshape(1, hidden));
        parts.add(patches.slice(i, i + 1).reshape(count, hidden));
      }
      Tensor joined = ops.concatBatch(parts);
      return Tensor.owning(
          joined.reshape(rows, count + 1, hidden).shape(),
          joined.dtype(),
          joined.data(),
          joined::close);
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
   * What was found, one row per picture.
   *
   * @param imageEmbeds CLIP embeddings, [n, projection]
   * @param conceptCosines with each concept, [n, 17]
   * @param specialCareCosines with each special-care concept, [n, 3]
   * @param flagged whether the picture shows a concept
   */
  public record Verdict(
      float[][] imageEmbeds,
      float[][] conceptCosines,
      float[][] specialCareCosines,
      boolean[] flagged) {}

  private record Concepts(float[][] embeds, float[] thresholds) {
    static Concepts read(Parameters p, String key, int count, int width) {
      HostTensor embeds = p.get(key, count, width);
      float[] flat = embeds.toFloats();
      float[][] rows = new float[count][];
      for (int i = 0; i < count; i++) {
        rows[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
      }
      return new Concepts(rows, p.get(key + "_weights", count).toFloats());
    }

    float[][] cosines(float[][] images) {
      float[][] result = new float[images.length][embeds.length];
      for (int i = 0; i < images.length; i++) {
        for (int j = 0; j < embeds.length; j++) {
          result[i][j] = cosine(images[i], embeds[j]);
        }
      }
      return result;
    }

    private static float cosine(float[] a, float[] b) {
      double dot = 0;
      double aa = 0;
      double bb = 0;
      for (int i = 0; i < a.length; i++) {
        dot += (double) a[i] * b[i];
        aa += (double) a[i] * a[i];
        bb += (double) b[i] * b[i];
      }
      return (float) (dot / Math.sqrt(aa * bb));
    }

    /** Scores are rounded to three digits before they are compared, as diffusers does. */
    boolean exceeded(float[] cosines, double adjustment) {
      for (int j = 0; j < thresholds.length; j++) {
        double score = cosines[j] - (double) thresholds[j] + adjustment;
        if (Math.rint(score * 1000) > 0) {
          return true;
        }
      }
      return false;
    }
  }
}
