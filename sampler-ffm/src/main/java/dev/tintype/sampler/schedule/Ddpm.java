package dev.tintype.sampler.schedule;

import dev.tintype.sampler.ops.StepCoefficients;
import java.util.ArrayList;
import java.util.List;

/** Ho et al. 2020, "Denoising Diffusion Probabilistic Models"; diffusers DDPMScheduler. */
final class Ddpm {
  private Ddpm() {}

  static SchedulePlan plan(SchedulerConfig config, int steps) {
    NoiseTable table = NoiseTable.of(config, false);
    String varianceType = config.text("variance_type", "fixed_small");
    double[] timesteps =
        config.spacing().timesteps(config.numTrainTimesteps(), steps, config.stepsOffset());
    List<StepCoefficients> coefficients = new ArrayList<>(steps);
    for (int i = 0; i < steps; i++) {
      int t = Ddim.inTable(table, config, timesteps[i]);
      double a = table.alphaCumprod(t);
      double aPrev = i + 1 < steps ? table.alphaCumprod((int) timesteps[i + 1]) : 1;
      double stepAlpha = a / aPrev;
      double stepBeta = 1 - stepAlpha;
      // Equation 7: mean of the posterior; its variance below.
      double variance = Math.max((1 - aPrev) / (1 - a) * stepBeta, 1e-20);
      double deviation =
          switch (varianceType) {
            case "fixed_small", "fixed_small_log" -> Math.sqrt(variance);
            case "fixed_large" -> Math.sqrt(stepBeta);
            default -> throw config.unsupported("variance_type", varianceType);
          };
      PredictionType.Linear x0 = config.predictionType().original(a);
      coefficients.add(
          new StepCoefficients(
              x0.sample(),
              x0.model(),
              config.clipRange(),
              Math.sqrt(aPrev) * stepBeta / (1 - a),
              Math.sqrt(stepAlpha) * (1 - aPrev) / (1 - a),
              0,
              0,
              t > 0 ? deviation : 0));
    }
    return Ddim.variancePreserving(table, timesteps, coefficients);
  }
}
