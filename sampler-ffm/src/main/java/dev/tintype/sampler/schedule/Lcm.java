package dev.tintype.sampler.schedule;

import dev.tintype.sampler.ops.StepCoefficients;
import java.util.ArrayList;
import java.util.List;

/** Luo et al. 2023, "Latent Consistency Models"; diffusers LCMScheduler. */
final class Lcm {
  private static final double SIGMA_DATA = 0.5;

  private Lcm() {}

  static SchedulePlan plan(SchedulerConfig config, int steps) {
    NoiseTable table = NoiseTable.of(config, false);
    double[] timesteps = timesteps(config, steps);
    double scaling = config.number("timestep_scaling", 10);
    List<StepCoefficients> coefficients = new ArrayList<>(steps);
    for (int i = 0; i < steps; i++) {
      int t = (int) timesteps[i];
      double a = table.alphaCumprod(t);
      // Boundary condition: denoised = c_out x0 + c_skip sample.
      double scaled = t * scaling;
      double skip = SIGMA_DATA * SIGMA_DATA / (scaled * scaled + SIGMA_DATA * SIGMA_DATA);
      double out = scaled / Math.sqrt(scaled * scaled + SIGMA_DATA * SIGMA_DATA);
      // All but the last step bring the denoised sample back to the next noise level.
      boolean last = i + 1 == steps;
      double aNext = last ? 1 : table.alphaCumprod((int) timesteps[i + 1]);
      PredictionType.Linear x0 = config.predictionType().original(a);
      coefficients.add(
          new StepCoefficients(
              x0.sample(),
              x0.model(),
              config.clipRange(),
              Math.sqrt(aNext) * out,
              Math.sqrt(aNext) * skip,
              0,
              0,
              last ? 0 : Math.sqrt(1 - aNext)));
    }
    return Ddim.variancePreserving(table, timesteps, coefficients);
  }

  /** Evenly chosen among the timesteps of distillation, descending. */
  private static double[] timesteps(SchedulerConfig config, int steps) {
    int originSteps = config.integer("original_inference_steps", 50);
    int train = config.numTrainTimesteps();
    if (originSteps < 1 || originSteps > train) {
      throw config.unsupported("original_inference_steps", Integer.toString(originSteps));
    }
    if (steps > originSteps) {
      throw new ScheduleException(
          "schedule.steps", "lcm takes at most " + originSteps + " steps, not " + steps);
    }
    int stride = train / originSteps;
    double[] timesteps = new double[steps];
    for (int i = 0; i < steps; i++) {
      int index = (int) Math.floor(i * ((double) originSteps / steps));
      timesteps[i] = (double) (originSteps - index) * stride - 1;
    }
    return timesteps;
  }
}
