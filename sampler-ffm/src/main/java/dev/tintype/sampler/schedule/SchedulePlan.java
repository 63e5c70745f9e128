package dev.tintype.sampler.schedule;

import dev.tintype.sampler.ops.StepCoefficients;
import java.util.List;

/**
 * All numbers of one run of a scheduler, step 0 first.
 *
 * @param timesteps what the network is told, per step, descending
 * @param initNoiseSigma factor of the standard normal start noise of text-to-image
 * @param modelInputScale per step, the factor of the sample before it goes into the network
 * @param coefficients per step
 * @param addNoise per step, how a clean sample is brought to that step's noise level
 *     (image-to-image, inpaint)
 * @param sigmas of the schedulers that have them, one more than steps; else empty
 * @param alphasCumprod over the training timesteps
 */
public record SchedulePlan(
    double[] timesteps,
    double initNoiseSigma,
    double[] modelInputScale,
    List<StepCoefficients> coefficients,
    List<AddNoise> addNoise,
    double[] sigmas,
    float[] alphasCumprod) {

  /** noisy = sample factor * clean + noise factor * noise. */
  public record AddNoise(double sampleFactor, double noiseFactor) {}

  public int steps() {
    return timesteps.length;
  }

  public double timestep(int step) {
    return timesteps[step];
  }

  public double modelInputScale(int step) {
    return modelInputScale[step];
  }

  public StepCoefficients coefficients(int step) {
    return coefficients.get(step);
  }

  /** Whether step {@code step} adds fresh noise. */
  public boolean drawsNoise(int step) {
    return coefficients.get(step).usesNoise();
  }

  public AddNoise addNoise(int step) {
    return addNoise.get(step);
  }
}
