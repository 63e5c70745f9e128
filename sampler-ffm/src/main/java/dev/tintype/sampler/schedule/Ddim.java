package dev.tintype.sampler.schedule;

import dev.tintype.sampler.ops.StepCoefficients;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Song et al. 2020, "Denoising Diffusion Implicit Models", equation 12; diffusers DDIMScheduler.
 */
final class Ddim {
  private Ddim() {}

  static SchedulePlan plan(SchedulerConfig config, int steps, Schedules.Options options) {
    NoiseTable table = NoiseTable.of(config, false);
    int train = config.numTrainTimesteps();
    double[] timesteps = config.spacing().timesteps(train, steps, config.stepsOffset());
    List<StepCoefficients> coefficients = new ArrayList<>(steps);
    for (double timestep : timesteps) {
      int t = inTable(table, config, timestep);
      int previous = t - train / steps;
      coefficients.add(
          step(
              config,
              table.alphaCumprod(t),
              table.alphaCumprodOrFinal(previous),
              options.eta(),
              options.useClippedModelOutput()));
    }
    return variancePreserving(table, timesteps, coefficients);
  }

  private static StepCoefficients step(
      SchedulerConfig config, double a, double aPrev, double eta, boolean useClipped) {
    double b = 1 - a;
    // Equation 16: variance of the fresh noise.
    double variance = (1 - aPrev) / b * (1 - a / aPrev);
    double deviation = eta == 0 ? 0 : eta * Math.sqrt(variance);
    // Equation 12: prev = sqrt(a') x0 + sqrt(1 - a' - deviation^2) eps + deviation noise.
    double direction = Math.sqrt(Math.max(0, 1 - aPrev - deviation * deviation));
    PredictionType.Linear x0 = config.predictionType().original(a);
    if (useClipped) {
      return new StepCoefficients(
          x0.sample(),
          x0.model(),
          config.clipRange(),
          Math.sqrt(aPrev) - direction * Math.sqrt(a) / Math.sqrt(b),
          direction / Math.sqrt(b),
          0,
          0,
          deviation);
    }
    PredictionType.Linear epsilon = config.predictionType().epsilon(a);
    return new StepCoefficients(
        x0.sample(),
        x0.model(),
        config.clipRange(),
        Math.sqrt(aPrev),
        direction * epsilon.sample(),
        direction * epsilon.model(),
        0,
        deviation);
  }

  /** The table index of a timestep; an offset can push it out of the table, which is an error. */
  static int inTable(NoiseTable table, SchedulerConfig config, double timestep) {
    int t = (int) timestep;
    if (t < 0 || t >= table.size()) {
      throw config.unsupported(
          "steps_offset", config.stepsOffset() + " (gives timestep " + t + ")");
    }
    return t;
  }

  /** A plan whose samples keep unit variance, so that the network takes them as they are. */
  static SchedulePlan variancePreserving(
      NoiseTable table, double[] timesteps, List<StepCoefficients> coefficients) {
    double[] ones = new double[timesteps.length];
    Arrays.fill(ones, 1);
    List<SchedulePlan.AddNoise> addNoise = new ArrayList<>(timesteps.length);
    for (double timestep : timesteps) {
      double a = table.alphaCumprod((int) timestep);
      addNoise.add(new SchedulePlan.AddNoise(Math.sqrt(a), Math.sqrt(1 - a)));
    }
    return new SchedulePlan(
        timesteps,
        1,
        ones,
        List.copyOf(coefficients),
        List.copyOf(addNoise),
        new double[0],
        table.alphasCumprod());
  }
}
