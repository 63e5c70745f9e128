package dev.tintype.sampler.pipeline;

/**
 * Where the time of a sample went, in milliseconds of wall clock.
 *
 * @param textMs tokenizing and encoding the prompts, and a picture to start from
 * @param stepsMs all steps so far; a step that ran in a batch counts its share of it
 * @param steps how many steps that were
 * @param decodeMs the VAE
 */
public record StageTimings(double textMs, double stepsMs, int steps, double decodeMs) {

  /** Mean of a step so far, 0 before the first. */
  public double stepMs() {
    return steps == 0 ? 0 : stepsMs / steps;
  }

  StageTimings plusStep(double milliseconds) {
    return new StageTimings(textMs, stepsMs + milliseconds, steps + 1, decodeMs);
  }

  StageTimings withDecode(double milliseconds) {
    return new StageTimings(textMs, stepsMs, steps, milliseconds);
  }
}
