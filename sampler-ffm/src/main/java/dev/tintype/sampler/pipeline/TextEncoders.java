package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.ClipTextModel;
import dev.tintype.sampler.model.UNet2DConditionModel;
import dev.tintype.sampler.nn.TextStates;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.text.ClipTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The tokenizers and text encoders of a pipeline: one for Stable Diffusion 1.x and 2.x, two for
 * SDXL.
 */
final class TextEncoders implements AutoCloseable {
  /** A tokenizer and the encoder of its ids. */
  record Encoder(ClipTokenizer tokenizer, ClipTextModel model) {}

  private final TextCache cache = new TextCache(TextCache.BYTES_MAX);
  private final Ops ops;
  private final List<Encoder> encoders;
  private final boolean penultimate;
  private final boolean zerosForEmptyPrompt;

  /**
   * @param penultimate SDXL: the states of the last layer but one, without the final LayerNorm, and
   *     the last encoder's pooled text
   * @param zerosForEmptyPrompt SDXL: an empty negative prompt is all zeros instead of encoded
   */
  TextEncoders(Ops ops, List<Encoder> encoders, boolean penultimate, boolean zerosForEmptyPrompt) {
    this.ops = ops;
    this.encoders = List.copyOf(encoders);
    this.penultimate = penultimate;
    this.zerosForEmptyPrompt = zerosForEmptyPrompt;
  }

  /** Width of the encoded prompt. */
  int channels() {
    return encoders.stream().mapToInt(e -> e.model().config().hiddenSize()).sum();
  }

  /** Layers that can be skipped. */
  int skipMax() {
    int layers = encoders.stream().mapToInt(e -> e.model().config().layers()).min().orElseThrow();
    return penultimate ? layers - 1 : layers;
  }

  int tokens() {
    return encoders.getFirst().tokenizer().length();
  }

  boolean truncates(String prompt) {
    return encoders.stream().anyMatch(e -> e.tokenizer().truncated(prompt));
  }

  long bytes() {
    return encoders.stream().mapToLong(e -> e.model().bytes()).sum();
  }

  /** The encoded text of a recipe, ready for {@code unet}. */
  Conditioning encode(Recipe recipe, UNet2DConditionModel unet, boolean encodeEmptyNegative) {
    try (Encoded text = encode(recipe.prompt(), recipe.clipSkip())) {
      if (!recipe.guided()) {
        return conditioning(recipe, unet, text);
      }
      boolean zeros =
          zerosForEmptyPrompt && !encodeEmptyNegative && recipe.negativePrompt().isEmpty();
      // diffusers skips layers for the prompt only.
      try (Encoded negative = zeros ? zerosLike(text) : encode(recipe.negativePrompt(), 0);
          Encoded both = concat(negative, text)) {
        return conditioning(recipe, unet, both);
      }
    }
  }

  private Conditioning conditioning(Recipe recipe, UNet2DConditionModel unet, Encoded text) {
    TextStates states = unet.encodeText(text.states);
    Optional<Tensor> pooled = beside(states::close, () -> text.pooled.map(p -> ops.scale(p, 1)));
    double[] sizes = {recipe.height(), recipe.width(), 0, 0, recipe.height(), recipe.width()};
    double[][] timeIds = new double[Math.toIntExact(states.rows())][];
    Arrays.fill(timeIds, sizes);
    return new Conditioning(states, pooled, timeIds);
  }

  /** From the cache, where the same tokens were encoded not long ago. */
  private Encoded encode(String prompt, int skip) {
    List<int[]> ids = encoders.stream().map(e -> e.tokenizer.encode(prompt)).toList();
    TextCache.Key key =
        new TextCache.Key(ids.stream().flatMapToInt(Arrays::stream).boxed().toList(), skip);
    Optional<TextCache.Text> known = cache.get(key);
    if (known.isPresent()) {
      TextCache.Text text = known.get();
      return encoded(
          ops.upload(text.states(), text.shape()),
          () -> text.pooled().map(p -> ops.upload(p, Shape.of(1, p.length))));
    }
    Encoded encoded = compute(ids, skip);
    try {
      cache.put(
          key,
          new TextCache.Text(
              ops.download(encoded.states),
              encoded.states.shape(),
              encoded.pooled.map(ops::download)));
      return encoded;
    } catch (RuntimeException e) {
      encoded.close();
      throw e;
    }
  }

  TextCacheCounts cacheCounts() {
    return cache.counts();
  }

  private Encoded compute(List<int[]> tokens, int skip) {
    List<Tensor> states = new ArrayList<>();
    Optional<Tensor> pooled = Optional.empty();
    try {
      for (int i = 0; i < encoders.size(); i++) {
        Encoder encoder = encoders.get(i);
        int[][] ids = {tokens.get(i)};
        try (ClipTextModel.Encoded encoded =
            encoder.model.encode(ids, penultimate ? skip + 1 : skip)) {
          states.add(states(encoder.model, encoded, skip));
          if (penultimate && encoder.model.hasProjection()) {
            pooled.ifPresent(Tensor::close);
            pooled = Optional.of(ops.scale(encoded.pooled(), 1));
          }
        }
      }
      Tensor joined = ops.concatChannels(states);
      return new Encoded(joined, pooled);
    } catch (RuntimeException e) {
      pooled.ifPresent(Tensor::close);
      throw e;
    } finally {
      states.forEach(Tensor::close);
    }
  }

  private Tensor states(ClipTextModel model, ClipTextModel.Encoded encoded, int skip) {
    if (penultimate) {
      return ops.scale(encoded.hidden(), 1);
    }
    return skip == 0
        ? ops.scale(encoded.lastHiddenState(), 1)
        : model.finalLayerNorm(encoded.hidden());
  }

  private Encoded zerosLike(Encoded text) {
    return encoded(
        ops.zeros(text.states.shape()), () -> text.pooled.map(p -> ops.zeros(p.shape())));
  }

  private Encoded concat(Encoded first, Encoded second) {
    return encoded(
        ops.concatBatch(List.of(first.states, second.states)),
        () -> first.pooled.map(p -> ops.concatBatch(List.of(p, second.pooled.orElseThrow()))));
  }

  private static Encoded encoded(Tensor states, Supplier<Optional<Tensor>> pooled) {
    return new Encoded(states, beside(states::close, pooled));
  }

  /** The second of two, or neither where it fails. */
  private static Optional<Tensor> beside(Runnable closeFirst, Supplier<Optional<Tensor>> second) {
    try {
      return second.get();
    } catch (RuntimeException e) {
      closeFirst.run();
      throw e;
    }
  }

  @Override
  public void close() {
    encoders.forEach(e -> e.model().close());
  }

  /** States [rows, tokens, channels], and SDXL's pooled text. */
  private record Encoded(Tensor states, Optional<Tensor> pooled) implements AutoCloseable {
    @Override
    public void close() {
      states.close();
      pooled.ifPresent(Tensor::close);
    }
  }
}
