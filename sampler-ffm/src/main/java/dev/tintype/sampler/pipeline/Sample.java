package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.schedule.SchedulePlan;
import java.util.Optional;

/**
 * A picture in the making: its latent and how far it is. Made by {@link DiffusionPipeline#admit},
 * moved by {@link DiffusionPipeline#step}, closed by who asked for it. Not safe for threads.
 */
public final class Sample implements AutoCloseable {
  private final Recipe recipe;
  private final SchedulePlan plan;
  private final int firstStep;
  private final NoiseSource noise;
  private final Conditioning conditioning;
  private final TimeEmbeddings times;
  private final Optional<InpaintInputs> inpaint;

  private int step;
  private Tensor latents;
  private Optional<Tensor> predictedOriginal = Optional.empty();
  private StageTimings timings;
  private boolean closed;

  Sample(
      Recipe recipe,
      SchedulePlan plan,
      int firstStep,
      NoiseSource noise,
      Conditioning conditioning,
      TimeEmbeddings times,
      LatentStart.Start start,
      double textMs) {
    this.recipe = recipe;
    this.plan = plan;
    this.firstStep = firstStep;
    this.step = firstStep;
    this.noise = noise;
    this.conditioning = conditioning;
    this.times = times;
    this.inpaint = start.inpaint();
    this.latents = start.latents();
    this.timings = new StageTimings(textMs, 0, 0, 0);
  }

  public Recipe recipe() {
    return recipe;
  }

  /** Steps done. */
  public int stepsDone() {
    return step - firstStep;
  }

  /** Steps to do in all; fewer than the recipe's when it starts from a picture. */
  public int stepsTotal() {
    return plan.steps() - firstStep;
  }

  public boolean done() {
    return step == plan.steps();
  }

  public StageTimings timings() {
    return timings;
  }

  SchedulePlan plan() {
    return plan;
  }

  /** Index of the next step in the plan. */
  int nextStep() {
    return step;
  }

  NoiseSource noise() {
    return noise;
  }

  Conditioning conditioning() {
    return conditioning;
  }

  TimeEmbeddings times() {
    return times;
  }

  Optional<InpaintInputs> inpaint() {
    return inpaint;
  }

  /** [1, h, w, latent channels], owned by the sample. */
  Tensor latents() {
    return latents;
  }

  /** The x0 that the last step predicted, owned by the sample. */
  Optional<Tensor> predictedOriginal() {
    return predictedOriginal;
  }

  /** Shape of one latent, without the batch dimension. */
  Shape item() {
    Shape shape = latents.shape();
    return Shape.of(shape.dim(1), shape.dim(2), shape.dim(3));
  }

  void advance(Ops.Stepped stepped, double milliseconds) {
    replace(stepped.previous(), Optional.of(stepped.predictedOriginal()));
    step++;
    timings = timings.plusStep(milliseconds);
  }

  /** Puts another latent in the place of the current one, which is closed. */
  void replaceLatents(Tensor other) {
    latents.close();
    latents = other;
  }

  private void replace(Tensor other, Optional<Tensor> original) {
    latents.close();
    predictedOriginal.ifPresent(Tensor::close);
    latents = other;
    predictedOriginal = original;
  }

  void decoded(double milliseconds) {
    timings = timings.withDecode(milliseconds);
  }

  /** Continues from a checkpoint of the same recipe. */
  void restore(int stepsDone, Tensor other, Optional<Tensor> original) {
    replace(other, original);
    step = firstStep + stepsDone;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      latents.close();
      predictedOriginal.ifPresent(Tensor::close);
      conditioning.close();
      times.close();
      inpaint.ifPresent(InpaintInputs::close);
    }
  }
}
