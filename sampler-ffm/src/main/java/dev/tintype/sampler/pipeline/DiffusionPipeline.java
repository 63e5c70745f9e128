package dev.tintype.sampler.pipeline;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.schedule.SchedulePlan;
import dev.tintype.sampler.schedule.SchedulerConfig;
import dev.tintype.sampler.schedule.Schedules;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Stable Diffusion on a device: text, picture or masked picture to picture.
 *
 * <pre>{@code
 * try (DiffusionPipeline pipeline = DiffusionPipeline.load(folder, device, LoadOptions.defaults());
 *     Sample sample = pipeline.admit(Recipe.of("a red sun", 256, 256, 7))) {
 *   while (!sample.done()) {
 *     pipeline.step(List.of(sample));
 *   }
 *   RgbImage image = pipeline.decode(sample);
 * }
 * }</pre>
 *
 * Used by one thread at a time, like its device. Samples are closed before the pipeline.
 */
public final class DiffusionPipeline implements AutoCloseable {
  private final Ops ops;
  private final Components components;
  private final LatentScale scale;
  private final LatentStart latentStart;
  private final RecordedUNet unet;
  private final Denoiser denoiser;
  private final LatentPreview preview;

  private DiffusionPipeline(Device device, Components components) {
    this.ops = device.ops();
    this.components = components;
    this.scale = new LatentScale(ops, components.vae().config());
    this.latentStart =
        new LatentStart(ops, components.vae(), scale, components.info().inpainting());
    this.unet = new RecordedUNet(components.unet(), ops, device.recorder());
    this.denoiser = new Denoiser(ops, unet, device.samplesPerCall());
    this.preview = new LatentPreview(ops, components.vae(), scale);
  }

  /**
   * Loads a folder as diffusers writes it.
   *
   * @throws dev.tintype.sampler.config.ModelException codes {@code model.*}
   * @throws dev.tintype.sampler.weights.WeightsException codes {@code weights.*}
   */
  public static DiffusionPipeline load(Path folder, Device device, LoadOptions options) {
    return new DiffusionPipeline(device, ComponentLoader.load(folder, device, options));
  }

  public ModelInfo info() {
    return components.info();
  }

  /** How often a prompt's text was known already; from any thread. */
  public TextCacheCounts textCache() {
    return components.text().cacheCounts();
  }

  /** Whether the model reads only the beginning of this prompt. */
  public boolean truncates(String prompt) {
    return components.text().truncates(prompt);
  }

  /**
   * Begins a picture: encodes the prompts, plans the steps, draws the start noise.
   *
   * @throws RecipeException when the recipe does not fit the model
   */
  public Sample admit(Recipe recipe) {
    return admit(recipe, NoiseSource.seeded(ops, recipe.seed()), false);
  }

  /**
   * As {@link #admit(Recipe)} with other random numbers than the seed's.
   *
   * @param encodeEmptyNegative encode an empty negative prompt also where the model asks for zeros
   */
  public Sample admit(Recipe recipe, NoiseSource noise, boolean encodeEmptyNegative) {
    long start = System.nanoTime();
    check(recipe);
    SchedulePlan plan;
    int firstStep = LatentStart.firstStep(recipe);
    SchedulerConfig scheduler =
        recipe.scheduler().map(components.scheduler()::named).orElse(components.scheduler());
    plan =
        Schedules.plan(
            scheduler,
            recipe.steps(),
            Schedules.Options.DEFAULT.withEta(recipe.eta()).withFirstStep(firstStep));
    Conditioning text = components.text().encode(recipe, components.unet(), encodeEmptyNegative);
    Optional<TimeEmbeddings> times = Optional.empty();
    try {
      times = Optional.of(TimeEmbeddings.of(ops, components.unet(), plan, firstStep, text));
      LatentStart.Start begin = latentStart.start(recipe, plan, firstStep, noise);
      ops.synchronize();
      double textMs = (System.nanoTime() - start) / 1e6;
      return new Sample(recipe, plan, firstStep, noise, text, times.get(), begin, textMs);
    } catch (RuntimeException e) {
      text.close();
      times.ifPresent(TimeEmbeddings::close);
      throw e;
    }
  }

  private void check(Recipe recipe) {
    int granularity = info().sizeGranularity();
    if (recipe.width() % granularity != 0 || recipe.height() % granularity != 0) {
      throw new RecipeException(
          "recipe.size",
          recipe.width()
              + "x"
              + recipe.height()
              + ": width and height must be multiples of "
              + granularity
              + " for "
              + info().name());
    }
    if (recipe.clipSkip() > components.text().skipMax()) {
      throw new RecipeException(
          "recipe.clip_skip",
          "clip skip must be at most " + components.text().skipMax() + " for " + info().name());
    }
    if (info().inpainting() && recipe.init().isPresent() && recipe.mask().isEmpty()) {
      throw new RecipeException(
          "recipe.mask", info().name() + " is an inpainting model: a picture needs a mask");
    }
  }

  /**
   * Moves every sample by one step. Samples of one size go through the network together as far as
   * the device gains from it; timesteps, schedulers, guidance may differ. When a call fails, its
   * samples have not moved and can be tried again in smaller batches.
   */
  public void step(List<Sample> batch) {
    step(batch, false);
  }

  /**
   * As {@link #step}, for a batch that is expected to come again: does not wait for the device to
   * finish, but for the step before, so that it does not idle while the host prepares the next one.
   * An error of the device's work is thrown by what waits for it next; such errors end the device.
   */
  public void stepAhead(List<Sample> batch) {
    step(batch, true);
  }

  /** Waits for what {@link #stepAhead} left under way. */
  public void settle() {
    denoiser.settle();
  }

  private void step(List<Sample> batch, boolean ahead) {
    for (Sample sample : batch) {
      if (sample.done()) {
        throw new IllegalStateException("a sample that is done cannot step");
      }
    }
    denoiser.step(batch, ahead);
  }

  /** The picture of the sample's latent as it is now. */
  public RgbImage decode(Sample sample) {
    long start = System.nanoTime();
    try (Tensor image = decodeTensor(sample)) {
      byte[] rgb = ops.toRgb8(image);
      sample.decoded((System.nanoTime() - start) / 1e6);
      return new RgbImage(image.shape().intDim(2), image.shape().intDim(1), rgb);
    }
  }

  /** As {@link #decode}, before rounding: [h, w, 3] in [0, 1]. */
  public float[] decodeToFloats(Sample sample) {
    try (Tensor image = decodeTensor(sample)) {
      float[] values = ops.download(image);
      for (int i = 0; i < values.length; i++) {
        values[i] = Math.clamp(values[i] / 2 + 0.5f, 0f, 1f);
      }
      return values;
    }
  }

  private Tensor decodeTensor(Sample sample) {
    return consume(scale.toVae(sample.latents()), components.vae()::decode);
  }

  /** A cheap guess of the final picture, one pixel per latent element. */
  public RgbImage preview(Sample sample) {
    return preview.of(sample.predictedOriginal().orElse(sample.latents()));
  }

  /** The latent as it is now, [h, w, c]. */
  public float[] latents(Sample sample) {
    return ops.download(sample.latents());
  }

  /** What {@link #resume} needs to go on with this sample. */
  public SampleState save(Sample sample) {
    boolean history = !sample.done() && sample.plan().coefficients(sample.nextStep()).usesHistory();
    return new SampleState(
        sample.stepsDone(),
        latents(sample),
        history ? sample.predictedOriginal().map(ops::download) : Optional.empty());
  }

  /** Admits a recipe and goes on where a sample of the same recipe was saved. */
  public Sample resume(Recipe recipe, SampleState state) {
    Sample sample = admit(recipe);
    try {
      Shape shape = sample.latents().shape();
      if (!fits(state, sample, shape)) {
        throw new RecipeException("recipe.state", "the saved state is not of this recipe");
      }
      Optional<Tensor> original = state.predictedOriginal().map(x -> ops.upload(x, shape));
      try {
        sample.restore(state.stepsDone(), ops.upload(state.latents(), shape), original);
      } catch (RuntimeException e) {
        original.ifPresent(Tensor::close);
        throw e;
      }
      return sample;
    } catch (RuntimeException e) {
      sample.close();
      throw e;
    }
  }

  private static boolean fits(SampleState state, Sample sample, Shape shape) {
    int done = state.stepsDone();
    if (done < 0 || done > sample.stepsTotal() || state.latents().length != shape.elements()) {
      return false;
    }
    int next = sample.nextStep() + done;
    boolean history = done < sample.stepsTotal() && sample.plan().coefficients(next).usesHistory();
    return state.predictedOriginal().map(x -> x.length == shape.elements()).orElse(!history);
  }

  @Override
  public void close() {
    denoiser.close();
    unet.close();
    components.close();
  }
}
