package dev.tintype.sampler.ops;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.weights.HostTensor;
import java.util.List;
import java.util.Optional;

/**
 * The numeric verbs. Images are [batch, height, width, channels], sequences [batch, tokens,
 * channels]; tensors given and returned hold {@link #dtype()} unless said otherwise. Every result
 * is a new tensor that the caller closes; arguments are never changed. One thread at a time.
 *
 * <p>A result for sample i depends on sample i of the arguments only, and is the same, bit for bit,
 * whenever the same call is made again on the same device.
 */
public interface Ops {

  /** Storage type of activations. Accumulation is in fp32 or better. */
  DType dtype();

  // ---- memory

  /** Copies row-major values to the device, rounding to {@link #dtype()}. */
  Tensor upload(float[] values, Shape shape);

  /** Copies a tensor to the host as fp32. Waits for the device. */
  float[] download(Tensor tensor);

  /** A tensor of zeros. */
  Tensor zeros(Shape shape);

  /** Waits until all work handed to the device is done. */
  void synchronize();

  /** The place in the device's work where it is now; a device that works at once is past it. */
  default Mark mark() {
    return Mark.PASSED;
  }

  /** A place in the work that was handed to a device. */
  interface Mark extends AutoCloseable {
    Mark PASSED =
        new Mark() {
          @Override
          public void await() {}

          @Override
          public void close() {}
        };

    /** Waits until all work that was handed over before is done. */
    void await();

    @Override
    void close();
  }

  // ---- weights, prepared once at load; the host's values are copied, and may go after the call

  PreparedWeights.Conv2d prepareConv2d(
      HostTensor weight, Optional<HostTensor> bias, Conv2dGeometry geometry);

  PreparedWeights.Linear prepareLinear(HostTensor weight, Optional<HostTensor> bias);

  PreparedWeights.Norm prepareNorm(HostTensor scale, HostTensor shift);

  PreparedWeights.Table prepareTable(HostTensor rows);

  // ---- layers

  /** [n, h, w, in] to [n, h', w', out], see {@link Conv2dGeometry#output}. */
  Tensor conv2d(Tensor x, PreparedWeights.Conv2d weights, Epilogue epilogue);

  /** [..., in] to [..., out]: x W^T + bias. */
  Tensor linear(Tensor x, PreparedWeights.Linear weights, Epilogue epilogue);

  /**
   * Group normalisation over (height, width, channels of the group), [n, h, w, c] or [n, tokens,
   * c], population variance, then {@code activation} ({@link Activation#NONE} or {@link
   * Activation#SILU}).
   */
  default Tensor groupNorm(
      Tensor x, PreparedWeights.Norm weights, int groups, float epsilon, Activation activation) {
    return groupNorm(x, Optional.empty(), weights, groups, epsilon, activation);
  }

  /**
   * As the other, of {@code x} plus {@code bias}, which is rounded nowhere in between: it only
   * moves the channels' means.
   */
  Tensor groupNorm(
      Tensor x,
      Optional<ChannelBias> bias,
      PreparedWeights.Norm weights,
      int groups,
      float epsilon,
      Activation activation);

  /** Layer normalisation over the last dimension. */
  Tensor layerNorm(Tensor x, PreparedWeights.Norm weights, float epsilon);

  Tensor activate(Tensor x, Activation activation);

  /** [..., 2c] to [..., c]: first half times gelu(second half), erf GELU (diffusers GEGLU). */
  Tensor geglu(Tensor x);

  /**
   * {@link #linear}, then {@link #geglu}: [..., in] to [..., out / 2]. A device that does both at
   * once does not round the product to {@link #dtype()} in between.
   */
  default Tensor linearGeglu(Tensor x, PreparedWeights.Linear weights) {
    try (Tensor both = linear(x, weights, Epilogue.NONE)) {
      return geglu(both);
    }
  }

  /**
   * softmax(q k^T * scale) v per head. Heads are interleaved in the last dimension: q [n, t, heads
   * * d], k and v [n, s, heads * d], result [n, t, heads * d]. Any d up to 512. {@code causal}:
   * token i sees keys 0..i only (then t = s).
   */
  Tensor attention(Tensor q, Tensor k, Tensor v, int heads, float scale, boolean causal);

  /**
   * Whether this device gains from projecting to queries, keys and values at once, for {@link
   * #selfAttention}.
   */
  default boolean joinsProjections() {
    return false;
  }

  /**
   * {@link #attention} of a sequence to itself: queries, keys and values beside each other in the
   * last dimension, [n, t, 3c] to [n, t, c].
   */
  default Tensor selfAttention(Tensor joined, int heads, float scale) {
    int channels = joined.shape().intDim(2) / 3;
    try (Tensor q = sliceChannels(joined, 0, channels);
        Tensor k = sliceChannels(joined, channels, 2 * channels);
        Tensor v = sliceChannels(joined, 2 * channels, 3 * channels)) {
      return attention(q, k, v, heads, scale, false);
    }
  }

  // ---- shapes and elementwise

  Tensor add(Tensor a, Tensor b);

  /** a * x + b * y, elementwise, same shapes. */
  Tensor combine(float a, Tensor x, float b, Tensor y);

  Tensor scale(Tensor x, float factor);

  /** x clamped to [low, high]. */
  Tensor clamp(Tensor x, float low, float high);

  /** Joins along the last dimension; all other extents equal. */
  Tensor concatChannels(List<Tensor> parts);

  /** Joins along the first dimension; all other extents equal. */
  Tensor concatBatch(List<Tensor> parts);

  /** Channels {@code from} to {@code to} (exclusive) of the last dimension. */
  Tensor sliceChannels(Tensor x, int from, int to);

  /** Nearest neighbour: output pixel i reads input floor(i * in / out), as torch does. */
  Tensor upsampleNearest(Tensor x, int height, int width);

  /** [n, h, w, c] to [n, h/f, w/f, c*f*f], channel order of torch.nn.PixelUnshuffle. */
  Tensor pixelUnshuffle(Tensor x, int factor);

  /** [n, h, w, c] to [n, c, h, w]. */
  Tensor toNchw(Tensor x);

  /** [n, c, h, w] to [n, h, w, c]. */
  Tensor toNhwc(Tensor x);

  // ---- lookups

  /** Rows of a table: ids of [n, tokens] to [n, tokens, channels]. */
  Tensor embed(int[][] ids, PreparedWeights.Table table);

  /** Row {@code index[i]} of item i: [n, tokens, c] to [n, c]. */
  Tensor selectTokens(Tensor x, int[] index);

  /**
   * Sinusoidal embedding, [n] to [n, channels]: halves sin then cos, or cos then sin when {@code
   * flipSinToCos}; frequency j is 10000^(-j / (channels/2 - downscaleFreqShift)) (diffusers
   * get_timestep_embedding).
   */
  Tensor timestepEmbedding(
      double[] timesteps, int channels, boolean flipSinToCos, double downscaleFreqShift);

  // ---- sampling

  /**
   * Classifier-free guidance: uncond + scale (text - uncond); then, where rescale > 0, blended
   * towards a result of the standard deviation of {@code text} (Lin et al. 2023, section 3.4,
   * diffusers rescale_noise_cfg; of each sample its own, over all but the batch dimension).
   */
  Tensor guide(Tensor uncond, Tensor text, float scale, float rescale);

  /**
   * One scheduler step, see {@link StepCoefficients}. {@code history} and {@code noise} may be
   * absent when no coefficient uses them.
   */
  Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients);

  /**
   * The two predictions of classifier-free guidance and how they are combined, see {@link #guide}.
   *
   * @param scale guidance scale
   * @param rescale 0: not rescaled
   */
  record Guided(Tensor uncond, Tensor text, float scale, float rescale) {}

  /**
   * {@link #guide}, then {@link #step}. A device that does both in one pass does not round the
   * guided prediction to {@link #dtype()} in between.
   */
  default Stepped guidedStep(
      Tensor sample,
      Guided prediction,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients coefficients) {
    try (Tensor model =
        guide(prediction.uncond(), prediction.text(), prediction.scale(), prediction.rescale())) {
      return step(sample, model, history, noise, coefficients);
    }
  }

  /** What a step gives: the next sample and the predicted x0; the caller closes both. */
  record Stepped(Tensor previous, Tensor predictedOriginal) implements AutoCloseable {
    @Override
    public void close() {
      previous.close();
      predictedOriginal.close();
    }
  }

  /**
   * Standard normal values from Philox 4x32-10 and Box-Muller, [seeds.length, ...item]: item i is a
   * function of seeds[i], {@code stream} and the element's index only (see PhiloxNormal), whatever
   * the batch and the device.
   */
  Tensor normalNoise(long[] seeds, long stream, Shape item);

  /**
   * [n, h, w, 3] in [-1, 1] to bytes, row-major RGB, as diffusers: round((x / 2 + 0.5 clamped) *
   * 255).
   */
  byte[] toRgb8(Tensor image);
}
