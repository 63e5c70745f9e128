package dev.tintype.sampler.schedule;

/**
 * alphas_cumprod over the training timesteps, rounded to fp32 where PyTorch rounds: betas are fp32,
 * the product is accumulated in double and stored as fp32.
 */
final class NoiseTable {
  private final float[] alphasCumprod;
  private final double finalAlphaCumprod;

  private NoiseTable(float[] alphasCumprod, double finalAlphaCumprod) {
    this.alphasCumprod = alphasCumprod;
    this.finalAlphaCumprod = finalAlphaCumprod;
  }

  /**
   * @param sigmasMustBeFinite whether the scheduler divides by the last alpha: with a zero terminal
   *     signal-to-noise ratio it is then 2^-24 instead of 0, as in diffusers
   */
  static NoiseTable of(SchedulerConfig config, boolean sigmasMustBeFinite) {
    float[] betas = betas(config);
    if (config.zeroTerminalSnr()) {
      betas = rescaleToZeroTerminalSnr(betas);
    }
    float[] cumulative = cumulativeProduct(betas);
    if (config.zeroTerminalSnr() && sigmasMustBeFinite) {
      cumulative[cumulative.length - 1] = 0x1p-24f;
    }
    return new NoiseTable(cumulative, config.setAlphaToOne() ? 1.0 : cumulative[0]);
  }

  private static float[] betas(SchedulerConfig config) {
    float[] trained = config.trainedBetas();
    int count = config.numTrainTimesteps();
    if (trained.length > 0) {
      if (trained.length != count) {
        throw config.unsupported(
            "trained_betas", trained.length + " values for " + count + " steps");
      }
      return trained;
    }
    return switch (config.betaSchedule()) {
      case "linear" -> linspace(config.betaStart(), config.betaEnd(), count);
      case "scaled_linear" -> {
        float[] roots = linspace(Math.sqrt(config.betaStart()), Math.sqrt(config.betaEnd()), count);
        for (int i = 0; i < count; i++) {
          roots[i] *= roots[i];
        }
        yield roots;
      }
      case "squaredcos_cap_v2" -> {
        float[] betas = new float[count];
        for (int i = 0; i < count; i++) {
          double ratio = cosineAlphaBar((i + 1.0) / count) / cosineAlphaBar((double) i / count);
          betas[i] = (float) Math.min(1 - ratio, 0.999);
        }
        yield betas;
      }
      default -> throw config.unsupported("beta_schedule", config.betaSchedule());
    };
  }

  /** Nichol and Dhariwal 2021. */
  private static double cosineAlphaBar(double t) {
    double cos = Math.cos((t + 0.008) / 1.008 * Math.PI / 2);
    return cos * cos;
  }

  /** torch.linspace in fp32: from both ends, so that it is symmetric. */
  private static float[] linspace(double start, double end, int count) {
    float first = (float) start;
    float last = (float) end;
    float[] values = new float[count];
    float stride = count == 1 ? 0 : (last - first) / (count - 1);
    for (int i = 0; i < count; i++) {
      values[i] =
          i < count / 2 ? Math.fma(stride, i, first) : Math.fma(-stride, count - 1 - i, last);
    }
    return values;
  }

  /** Lin et al. 2023, algorithm 1. */
  private static float[] rescaleToZeroTerminalSnr(float[] betas) {
    float[] root = cumulativeProduct(betas);
    int count = root.length;
    for (int i = 0; i < count; i++) {
      root[i] = (float) Math.sqrt(root[i]);
    }
    float first = root[0];
    float last = root[count - 1];
    float factor = first / (first - last);
    float[] rescaled = new float[count];
    float previous = 1;
    for (int i = 0; i < count; i++) {
      float shifted = (root[i] - last) * factor;
      float alphaBar = shifted * shifted;
      rescaled[i] = 1 - (i == 0 ? alphaBar : alphaBar / previous);
      previous = alphaBar;
    }
    return rescaled;
  }

  private static float[] cumulativeProduct(float[] betas) {
    float[] cumulative = new float[betas.length];
    double product = 1;
    for (int i = 0; i < betas.length; i++) {
      product *= 1f - betas[i];
      cumulative[i] = (float) product;
    }
    return cumulative;
  }

  int size() {
    return alphasCumprod.length;
  }

  double alphaCumprod(int timestep) {
    return alphasCumprod[timestep];
  }

  /** a at {@code timestep}, or beyond the last step (negative) the final alpha of the scheduler. */
  double alphaCumprodOrFinal(int timestep) {
    return timestep >= 0 ? alphasCumprod[timestep] : finalAlphaCumprod;
  }

  float[] alphasCumprod() {
    return alphasCumprod.clone();
  }

  /** sqrt((1 - a) / a), in fp32. */
  float sigma(int timestep) {
    float a = alphasCumprod[timestep];
    return (float) Math.sqrt((1 - a) / a);
  }

  /** Sigma between training timesteps, linear interpolation. */
  double sigmaAt(double timestep) {
    double inside = Math.clamp(timestep, 0, size() - 1);
    int low = Math.min((int) inside, size() - 2);
    if (low < 0) {
      return sigma(0);
    }
    double lower = sigma(low);
    return lower + ((double) sigma(low + 1) - lower) * (inside - low);
  }

  /**
   * The fractional timestep whose log sigma is that of {@code sigma}, linear between table entries.
   */
  double timestepOfSigma(double sigma) {
    double log = Math.log(Math.max(sigma, 1e-10));
    int low = 0;
    for (int i = 0; i < size() && logSigma(i) <= log; i++) {
      low = i;
    }
    low = Math.min(low, size() - 2);
    // The width is a difference of two fp32 numbers in diffusers, rounded to fp32.
    float width = logSigma(low) - logSigma(low + 1);
    double weight = Math.clamp((logSigma(low) - log) / width, 0, 1);
    return (1 - weight) * low + weight * (low + 1);
  }

  private float logSigma(int timestep) {
    return (float) Math.log(sigma(timestep));
  }

  /** Descending sigmas of Karras et al. 2022, equation 5, rho = 7. */
  static double[] karras(double sigmaMin, double sigmaMax, int steps) {
    double rho = 7;
    double minRoot = Math.pow(sigmaMin, 1 / rho);
    double maxRoot = Math.pow(sigmaMax, 1 / rho);
    double[] sigmas = new double[steps];
    for (int i = 0; i < steps; i++) {
      double ramp = steps == 1 ? 0 : (double) i / (steps - 1);
      sigmas[i] = Math.pow(maxRoot + ramp * (minRoot - maxRoot), rho);
    }
    return sigmas;
  }

  /** Descending sigmas evenly spaced in the logarithm. */
  static double[] exponential(double sigmaMin, double sigmaMax, int steps) {
    double[] sigmas = new double[steps];
    double first = Math.log(sigmaMax);
    double last = Math.log(sigmaMin);
    for (int i = 0; i < steps; i++) {
      double ramp = steps == 1 ? 0 : (double) i / (steps - 1);
      sigmas[i] = Math.exp(first + ramp * (last - first));
    }
    return sigmas;
  }
}
