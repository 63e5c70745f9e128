package dev.tintype.sampler.schedule;

import dev.tintype.sampler.ops.StepCoefficients;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Lu et al. 2022, "DPM-Solver++", multistep of first and second order, deterministic and
 * stochastic; diffusers DPMSolverMultistepScheduler with algorithm_type dpmsolver++ or
 * sde-dpmsolver++.
 */
final class DpmSolverMultistep {
  private DpmSolverMultistep() {}

  static SchedulePlan plan(SchedulerConfig config, int steps, Schedules.Options options) {
    String algorithm = config.text("algorithm_type", "dpmsolver++");
    boolean stochastic = algorithm.equals("sde-dpmsolver++");
    if (!stochastic && !algorithm.equals("dpmsolver++")) {
      throw config.unsupported("algorithm_type", algorithm);
    }
    int order = config.integer("solver_order", 2);
    if (order != 1 && order != 2) {
      throw config.unsupported("solver_order", Integer.toString(order));
    }
    for (String option : List.of("use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas")) {
      if (config.flag(option, false)) {
        throw config.unsupported(option, "true");
      }
    }
    NoiseTable table = NoiseTable.of(config, true);
    double[] timesteps = timesteps(config, table, steps);
    double[] sigmas = sigmas(config, table, timesteps);
    List<StepCoefficients> coefficients = new ArrayList<>(steps);
    List<SchedulePlan.AddNoise> addNoise = new ArrayList<>(steps);
    for (int i = 0; i < steps; i++) {
      boolean firstOrder =
          order == 1 || i <= options.firstStep() || isLowerOrderFinal(config, i, steps);
      coefficients.add(step(config, sigmas, i, firstOrder, stochastic));
      double alpha = alpha(sigmas[i]);
      addNoise.add(new SchedulePlan.AddNoise(alpha, sigmas[i] * alpha));
    }
    double[] ones = new double[steps];
    Arrays.fill(ones, 1);
    return new SchedulePlan(
        timesteps,
        1,
        ones,
        List.copyOf(coefficients),
        List.copyOf(addNoise),
        sigmas,
        table.alphasCumprod());
  }

  /** The last step of a short run, or one that ends at sigma 0, is of first order. */
  private static boolean isLowerOrderFinal(SchedulerConfig config, int step, int steps) {
    return step == steps - 1
        && (config.flag("euler_at_final", false)
            || (config.flag("lower_order_final", true) && steps < 15)
            || config.text("final_sigmas_type", "zero").equals("zero"));
  }

  private static double[] timesteps(SchedulerConfig config, NoiseTable table, int steps) {
    int last = lastTimestep(config, table);
    if (config.spacing() == TimestepSpacing.TRAILING) {
      return TimestepSpacing.trailing(last, table.size(), steps);
    }
    // One more than asked for, without the lowest.
    double[] timesteps =
        config.spacing() == TimestepSpacing.LEADING
            ? TimestepSpacing.leading(last, steps + 1, config.stepsOffset())
            : TimestepSpacing.LINSPACE.timesteps(last, steps + 1, 0);
    return Arrays.copyOf(timesteps, steps);
  }

  /**
   * Timesteps whose log signal-to-noise ratio lies under {@code lambda_min_clipped} are left out.
   */
  private static int lastTimestep(SchedulerConfig config, NoiseTable table) {
    double least = config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY);
    int clipped = 0;
    while (clipped < table.size() && -Math.log(table.sigma(table.size() - 1 - clipped)) < least) {
      clipped++;
    }
    return table.size() - clipped;
  }

  /**
   * Of every step and after the last, in fp32; Karras and exponential spacing change timesteps too.
   */
  private static double[] sigmas(SchedulerConfig config, NoiseTable table, double[] timesteps) {
    int steps = timesteps.length;
    double[] sigmas = new double[steps + 1];
    boolean karras = config.flag("use_karras_sigmas", false);
    if (karras || config.flag("use_exponential_sigmas", false)) {
      double low = table.sigma(0);
      double high = table.sigma(table.size() - 1);
      double[] spaced =
          karras ? NoiseTable.karras(low, high, steps) : NoiseTable.exponential(low, high, steps);
      System.arraycopy(spaced, 0, sigmas, 0, steps);
      boolean round = karras && !config.betaSchedule().equals("squaredcos_cap_v2");
      for (int i = 0; i < steps; i++) {
        double timestep = table.timestepOfSigma(sigmas[i]);
        timesteps[i] = round ? Math.rint(timestep) : (long) timestep;
      }
    } else {
      for (int i = 0; i < steps; i++) {
        sigmas[i] = table.sigmaAt(timesteps[i]);
      }
    }
    String last = config.text("final_sigmas_type", "zero");
    sigmas[steps] =
        switch (last) {
          case "zero" -> 0;
          case "sigma_min" -> table.sigma(0);
          default -> throw config.unsupported("final_sigmas_type", last);
        };
    for (int i = 0; i <= steps; i++) {
      sigmas[i] = (float) sigmas[i];
    }
    return sigmas;
  }

  /** Factor of x0 in a sample of that sigma when the variance is kept at 1. */
  private static double alpha(double sigma) {
    return 1 / Math.sqrt(sigma * sigma + 1);
  }

  private static StepCoefficients step(
      SchedulerConfig config, double[] sigmas, int i, boolean firstOrder, boolean stochastic) {
    double alphaNext = alpha(sigmas[i + 1]);
    double noiseNext = sigmas[i + 1] * alphaNext;
    double noiseNow = sigmas[i] * alpha(sigmas[i]);
    // lambda = log(alpha / noise) = -log(sigma); infinite at sigma 0, where exp(-h) is 0.
    double h = Math.log(sigmas[i]) - Math.log(sigmas[i + 1]);
    double decay = Math.exp(-h);
    double shrink = stochastic ? decay * decay : decay;
    double sampleFactor = noiseNext / noiseNow * (stochastic ? decay : 1);
    double dataFactor = alphaNext * (1 - shrink);
    double noiseFactor = stochastic ? noiseNext * Math.sqrt(1 - shrink) : 0;
    PredictionType.Linear x0 = config.predictionType().original(1 / (sigmas[i] * sigmas[i] + 1));
    double now = dataFactor;
    double before = 0;
    if (!firstOrder) {
      // D1 = (x0 - x0 before) / r, weighted as the midpoint or Heun's rule says.
      double r = (Math.log(sigmas[i - 1]) - Math.log(sigmas[i])) / h;
      String solver = config.text("solver_type", "midpoint");
      double weight =
          switch (solver) {
            case "midpoint" -> 0.5 * dataFactor;
            case "heun" -> alphaNext * (1 - (1 - shrink) / ((stochastic ? 2 : 1) * h));
            default -> throw config.unsupported("solver_type", solver);
          };
      now += weight / r;
      before = -weight / r;
    }
    return new StepCoefficients(
        x0.sample(),
        x0.model(),
        Double.POSITIVE_INFINITY,
        now,
        sampleFactor,
        0,
        before,
        noiseFactor);
  }
}
