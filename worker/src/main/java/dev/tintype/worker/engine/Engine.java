package dev.tintype.worker.engine;

import dev.tintype.queue.job.JobSpec;
import dev.tintype.sampler.pipeline.TextCacheCounts;
import java.util.List;

/**
 * One loaded model on one device. For one thread; errors are {@link
 * dev.tintype.sampler.SamplerException}, and {@link EngineFault} tells whose fault they are.
 */
public interface Engine extends AutoCloseable {
  /** The name that jobs ask for. */
  String model();

  /** The first 16 hex digits or so of a digest over the weights, for a picture's metadata. */
  String modelHash();

  /** One line for people about the device that it runs on. */
  String device();

  /** What decides a picture's bits beside recipe and model: equal texts promise equal bits. */
  default String arithmetic() {
    return device();
  }

  /** How often a prompt's text was encoded already, since it was loaded. From any thread. */
  default TextCacheCounts textCache() {
    return new TextCacheCounts(0, 0);
  }

  /** The name of the scheduler that a recipe without one gets. */
  String defaultScheduler();

  /** How many paintings gain from going through one {@link #step} together. */
  int samplesPerCall();

  /**
   * Encodes the prompt and draws the start noise of picture {@code index} of the job, whose seed is
   * the job's seed plus the index.
   *
   * @param start what the job's pictures start from
   */
  Painting admit(JobSpec spec, int index, StartPictures start);

  /** The seed of picture {@code index} of a job: the job's own plus the index, never negative. */
  static long seed(JobSpec spec, int index) {
    return spec.seed() + index & Long.MAX_VALUE;
  }

  /** One denoising step of each; all of one size. All or none: where it throws, none has moved. */
  void step(List<Painting> batch);

  /**
   * As {@link #step}, for a batch that is expected to come again: the device may still be at work
   * when this returns, on this step and no other, and on none that was a painting's last.
   */
  default void stepAhead(List<Painting> batch) {
    step(batch);
  }

  /** Waits for what {@link #stepAhead} left under way. */
  default void settle() {}

  /** What {@link #resume} needs to go on with this painting. */
  PaintingState save(Painting painting);

  /**
   * As {@link #admit}, and goes on where a painting of the same picture was saved.
   *
   * @throws dev.tintype.sampler.SamplerException recipe.state where it is another picture's
   */
  Painting resume(JobSpec spec, int index, StartPictures start, PaintingState state);

  /** The finished picture. */
  Picture decode(Painting painting);

  @Override
  void close();
}
