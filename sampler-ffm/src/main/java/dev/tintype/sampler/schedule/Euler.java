package dev.tintype.sampler.schedule;

import dev.tintype.sampler.ops.StepCoefficients;
import java.util.ArrayList;
import java.util.List;

/**
 * Karras et al. 2022, algorithm 2 without churn, and its ancestral variant (k-diffusion); diffusers
 * EulerDiscreteScheduler and EulerAncestralDiscreteScheduler. The sample is x0 + sigma eps.
 */
final class Euler {
  private Euler() {}

  static SchedulePlan plan(SchedulerConfig config, int steps, boolean ancestral) {
    NoiseTable table = NoiseTable.of(config, true);
    double[] timesteps =
        config
            .spacing()
            .fractionalTimesteps(config.numTrainTimesteps(), steps, config.stepsOffset());
    double[] sigmas = new double[steps + 1];
    for (int i = 0; i < steps; i++) {
      sigmas[i] = table.sigmaAt(timesteps[i]);
    }
    if (!ancestral) {
      respace(config, table, timesteps, sigmas);
    }
    for (int i = 0; i <= steps; i++) {
      sigmas[i] = (float) sigmas[i];
    }
    double[] inputScale = new double[steps];
    List<StepCoefficients> coefficients = new ArrayList<>(steps);
    List<SchedulePlan.AddNoise> addNoise = new ArrayList<>(steps);
    for (int i = 0; i < steps; i++) {
      inputScale[i] = 1 / Math.sqrt(sigmas[i] * sigmas[i] + 1);
      coefficients.add(step(config.predictionType(), sigmas[i], sigmas[i + 1], ancestral));
      addNoise.add(new SchedulePlan.AddNoise(1, sigmas[i]));
    }
    double largest = java.util.Arrays.stream(sigmas).max().orElseThrow();
    return new SchedulePlan(
        timesteps,
        config.spacing() == TimestepSpacing.LEADING ? Math.sqrt(largest * largest + 1) : largest,
        inputScale,
        List.copyOf(coefficients),
        List.copyOf(addNoise),
        sigmas,
        table.alphasCumprod());
  }

  /** Other spacings of sigma between the first and the last, and the sigma after the last step. */
  private static void respace(
      SchedulerConfig config, NoiseTable table, double[] timesteps, double[] sigmas) {
    int steps = timesteps.length;
    if (config.flag("use_beta_sigmas", false)) {
      throw config.unsupported("use_beta_sigmas", "true");
    }
    if (!config.text("interpolation_type", "linear").equals("linear")) {
      throw config.unsupported("interpolation_type", config.text("interpolation_type", "linear"));
    }
    if (!config.text("timestep_type", "discrete").equals("discrete")) {
      throw config.unsupported("timestep_type", config.text("timestep_type", "discrete"));
    }
    boolean karras = config.flag("use_karras_sigmas", false);
    if (karras || config.flag("use_exponential_sigmas", false)) {
      double low = config.optionalNumber("sigma_min").orElse(sigmas[steps - 1]);
      double high = config.optionalNumber("sigma_max").orElse(sigmas[0]);
      double[] spaced =
          karras ? NoiseTable.karras(low, high, steps) : NoiseTable.exponential(low, high, steps);
      System.arraycopy(spaced, 0, sigmas, 0, steps);
      for (int i = 0; i < steps; i++) {
        timesteps[i] = (float) table.timestepOfSigma(sigmas[i]);
      }
    }
    String last = config.text("final_sigmas_type", "zero");
    sigmas[steps] =
        switch (last) {
          case "zero" -> 0;
          case "sigma_min" -> table.sigma(0);
          default -> throw config.unsupported("final_sigmas_type", last);
        };
  }

  private static StepCoefficients step(
      PredictionType type, double sigma, double next, boolean ancestral) {
    // Ancestral: step down further than next, then add noise back up to it.
    double up =
        ancestral ? Math.sqrt(next * next * (sigma * sigma - next * next) / (sigma * sigma)) : 0;
    double down = Math.sqrt(next * next - up * up);
    double dt = down - sigma;
    PredictionType.Linear x0 = type.originalFromSigma(sigma);
    double infinity = Double.POSITIVE_INFINITY;
    if (type == PredictionType.EPSILON) {
      // The derivative (sample - x0) / sigma is the model's output itself.
      return new StepCoefficients(x0.sample(), x0.model(), infinity, 0, 1, dt, 0, up);
    }
    return new StepCoefficients(
        x0.sample(), x0.model(), infinity, -dt / sigma, 1 + dt / sigma, 0, 0, up);
  }
}
