package dev.tintype.worker.engine;

import dev.tintype.queue.job.JobSpec;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.pipeline.DiffusionPipeline;
import dev.tintype.sampler.pipeline.LoadOptions;
import dev.tintype.sampler.pipeline.ModelInfo;
import dev.tintype.sampler.pipeline.Recipe;
import dev.tintype.sampler.pipeline.RgbImage;
import dev.tintype.sampler.pipeline.Sample;
import dev.tintype.sampler.pipeline.SampleState;
import dev.tintype.sampler.pipeline.TextCacheCounts;
import java.nio.file.Path;
import java.util.List;

/** Our own pipelines as the step loop wants them. */
public final class PipelineEngine implements Engine {
  private static final int HASH_CHARS = 16;

  private final String model;
  private final Device device;
  private final DiffusionPipeline pipeline;

  private PipelineEngine(String model, Device device, DiffusionPipeline pipeline) {
    this.model = model;
    this.device = device;
    this.pipeline = pipeline;
  }

  /** Reads a model folder, as diffusers writes it, onto the device, which stays the caller's. */
  public static PipelineEngine load(String model, Path folder, Device device) {
    return new PipelineEngine(
        model, device, DiffusionPipeline.load(folder, device, LoadOptions.defaults()));
  }

  /** What is known of the model. */
  public ModelInfo info() {
    return pipeline.info();
  }

  @Override
  public String model() {
    return model;
  }

  @Override
  public String modelHash() {
    String hash = pipeline.info().hash();
    return hash.substring(0, Math.min(HASH_CHARS, hash.length()));
  }

  @Override
  public String device() {
    return device.description();
  }

  @Override
  public String arithmetic() {
    return device.arithmetic();
  }

  @Override
  public TextCacheCounts textCache() {
    return pipeline.textCache();
  }

  @Override
  public String defaultScheduler() {
    return pipeline.info().defaultScheduler();
  }

  @Override
  public int samplesPerCall() {
    return device.samplesPerCall();
  }

  @Override
  public Painting admit(JobSpec spec, int index, StartPictures start) {
    return new Painted(pipeline.admit(recipe(spec, index, start)));
  }

  private static Recipe recipe(JobSpec spec, int index, StartPictures start) {
    return new Recipe(
        spec.prompt(),
        spec.negativePrompt(),
        spec.width(),
        spec.height(),
        spec.steps(),
        spec.guidanceScale(),
        spec.guidanceRescale(),
        spec.eta(),
        spec.scheduler(),
        Engine.seed(spec, index),
        spec.clipSkip(),
        start.init().map(init -> new Recipe.Init(rgb(init).toPicture(), spec.strength())),
        start.mask().map(PipelineEngine::mask));
  }

  private static RgbImage rgb(Picture picture) {
    return new RgbImage(picture.width(), picture.height(), picture.rgb());
  }

  /** The mean of the three channels. */
  private static dev.tintype.sampler.pipeline.Picture mask(Picture picture) {
    byte[] rgb = picture.rgb();
    float[] values = new float[rgb.length / 3];
    for (int i = 0; i < values.length; i++) {
      int sum = (rgb[3 * i] & 0xff) + (rgb[3 * i + 1] & 0xff) + (rgb[3 * i + 2] & 0xff);
      values[i] = sum / 765f;
    }
    return new dev.tintype.sampler.pipeline.Picture(picture.width(), picture.height(), 1, values);
  }

  @Override
  public void step(List<Painting> batch) {
    pipeline.step(samples(batch));
  }

  @Override
  public void stepAhead(List<Painting> batch) {
    pipeline.stepAhead(samples(batch));
  }

  @Override
  public void settle() {
    pipeline.settle();
  }

  private static List<Sample> samples(List<Painting> batch) {
    return batch.stream().map(PipelineEngine::sample).toList();
  }

  @Override
  public PaintingState save(Painting painting) {
    SampleState state = pipeline.save(sample(painting));
    return new PaintingState(state.stepsDone(), state.latents(), state.predictedOriginal());
  }

  @Override
  public Painting resume(JobSpec spec, int index, StartPictures start, PaintingState state) {
    return new Painted(
        pipeline.resume(
            recipe(spec, index, start),
            new SampleState(state.step(), state.latents(), state.history())));
  }

  @Override
  public Picture decode(Painting painting) {
    RgbImage image = pipeline.decode(sample(painting));
    return new Picture(image.width(), image.height(), image.rgb());
  }

  private static Sample sample(Painting painting) {
    if (painting instanceof Painted ours) {
      return ours.sample;
    }
    throw new IllegalArgumentException("This painting is another engine's.");
  }

  @Override
  public void close() {
    pipeline.close();
  }

  private record Painted(Sample sample) implements Painting {
    @Override
    public int step() {
      return sample.stepsDone();
    }

    @Override
    public int steps() {
      return sample.stepsTotal();
    }

    @Override
    public void close() {
      sample.close();
    }
  }
}
