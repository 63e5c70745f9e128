package dev.tintype.sampler.pipeline;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.AutoencoderKl;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.schedule.SchedulePlan;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Where a sample starts: from noise, from a picture with noise, or from a picture with a mask, as
 * the three Stable Diffusion pipelines of diffusers do.
 */
final class LatentStart {
  private final Ops ops;
  private final AutoencoderKl vae;
  private final LatentScale scale;
  private final boolean maskedUnet;

  /**
   * @param maskedUnet whether the UNet reads mask and masked picture as input channels
   */
  LatentStart(Ops ops, AutoencoderKl vae, LatentScale scale, boolean maskedUnet) {
    this.ops = ops;
    this.vae = vae;
    this.scale = scale;
    this.maskedUnet = maskedUnet;
  }

  /** What a sample starts with; the sample owns it. */
  record Start(Tensor latents, Optional<InpaintInputs> inpaint) {}

  /** The first step to run: the share of the steps that {@code strength} asks for. */
  static int firstStep(Recipe recipe) {
    return recipe
        .init()
        .map(init -> recipe.steps() - (int) (recipe.steps() * init.strength()))
        .orElse(0);
  }

  Start start(Recipe recipe, SchedulePlan plan, int firstStep, NoiseSource noise) {
    int factor = vae.config().scaleFactor();
    Shape item =
        Shape.of(recipe.height() / factor, recipe.width() / factor, vae.config().latentChannels());
    try (Tensor normal = noise.start(item)) {
      if (recipe.init().isEmpty()) {
        return fromNoise(recipe, plan, normal, noise, item);
      }
      boolean encodes =
          recipe.mask().isEmpty() || !maskedUnet || recipe.init().get().strength() < 1;
      if (!encodes) {
        return fromNoise(recipe, plan, normal, noise, item);
      }
      try (Tensor clean = encode(recipe.init().get().picture(), () -> noise.posterior(item))) {
        return fromPicture(recipe, plan, firstStep, normal, clean, noise, item);
      }
    }
  }

  private Start fromNoise(
      Recipe recipe, SchedulePlan plan, Tensor normal, NoiseSource noise, Shape item) {
    Optional<InpaintInputs> inpaint =
        maskedUnet ? Optional.of(channels(recipe, noise, item)) : Optional.empty();
    try {
      return new Start(ops.scale(normal, (float) plan.initNoiseSigma()), inpaint);
    } catch (RuntimeException e) {
      inpaint.ifPresent(InpaintInputs::close);
      throw e;
    }
  }

  private Start fromPicture(
      Recipe recipe,
      SchedulePlan plan,
      int firstStep,
      Tensor normal,
      Tensor clean,
      NoiseSource noise,
      Shape item) {
    // With a mask, full strength means pure noise; without one, diffusers adds it to the picture.
    boolean pure = recipe.mask().isPresent() && recipe.init().orElseThrow().strength() == 1;
    SchedulePlan.AddNoise level = plan.addNoise(firstStep);
    Tensor latents =
        pure
            ? ops.scale(normal, (float) plan.initNoiseSigma())
            : ops.combine((float) level.sampleFactor(), clean, (float) level.noiseFactor(), normal);
    try {
      if (maskedUnet) {
        return new Start(latents, Optional.of(channels(recipe, noise, item)));
      }
      return new Start(latents, recipe.mask().map(mask -> blend(mask, clean, normal)));
    } catch (RuntimeException e) {
      latents.close();
      throw e;
    }
  }

  private InpaintInputs blend(Picture mask, Tensor clean, Tensor normal) {
    return new InpaintInputs.Blend(smallMask(mask), ops.download(clean), ops.download(normal));
  }

  /** Mask and masked picture; without a mask, all is made anew. */
  private InpaintInputs channels(Recipe recipe, NoiseSource noise, Shape item) {
    int pixels = recipe.width() * recipe.height();
    Picture mask = recipe.mask().orElseGet(() -> everywhere(recipe, 1));
    float[] picture =
        recipe.init().map(init -> init.picture().values()).orElseGet(() -> new float[3 * pixels]);
    // Values of [-1, 1], and 0 (grey) under the mask.
    float[] masked = new float[3 * pixels];
    for (int i = 0; i < masked.length; i++) {
      masked[i] = mask.values()[i / 3] < 0.5f ? 2 * picture[i] - 1 : 0;
    }
    Shape shape = Shape.of(1, recipe.height(), recipe.width(), 3);
    try (Tensor small = ops.upload(smallMask(mask), Shape.of(1, item.dim(0), item.dim(1), 1));
        Tensor latents = encode(masked, shape, () -> noise.maskedPosterior(item))) {
      return new InpaintInputs.Channels(ops.concatChannels(List.of(small, latents)));
    }
  }

  private static Picture everywhere(Recipe recipe, float value) {
    float[] values = new float[recipe.width() * recipe.height()];
    Arrays.fill(values, value);
    return new Picture(recipe.width(), recipe.height(), 1, values);
  }

  /** Black and white, and as small as the latent: the pixel at floor(i * in / out). */
  private float[] smallMask(Picture mask) {
    int factor = vae.config().scaleFactor();
    int width = mask.width() / factor;
    float[] small = new float[mask.height() / factor * width];
    for (int i = 0; i < small.length; i++) {
      int pixel = i / width * factor * mask.width() + i % width * factor;
      small[i] = mask.values()[pixel] < 0.5f ? 0 : 1;
    }
    return small;
  }

  private Tensor encode(Picture picture, Supplier<Tensor> noise) {
    float[] values = new float[picture.values().length];
    for (int i = 0; i < values.length; i++) {
      values[i] = 2 * picture.values()[i] - 1;
    }
    return encode(values, Shape.of(1, picture.height(), picture.width(), 3), noise);
  }

  private Tensor encode(float[] values, Shape shape, Supplier<Tensor> noise) {
    try (Tensor pixels = ops.upload(values, shape);
        Tensor normal = noise.get();
        AutoencoderKl.Posterior posterior = vae.encode(pixels)) {
      return consume(posterior.sample(ops, normal), scale::toUnet);
    }
  }
}
