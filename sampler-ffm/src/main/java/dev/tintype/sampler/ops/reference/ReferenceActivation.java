package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.ops.Activation;

/** The pointwise functions in double. */
final class ReferenceActivation {
  /** From here on erf is 1 in double: erfc(6) = 2e-17. */
  private static final double ERF_SATURATION = 6;

  private ReferenceActivation() {}

  static double apply(Activation activation, double x) {
    return switch (activation) {
      case NONE -> x;
      case SILU -> x * sigmoid(x);
      case GELU -> gelu(x);
      case QUICK_GELU -> x * sigmoid(1.702 * x);
      case RELU -> Math.max(x, 0);
      case LEAKY_RELU_02 -> Math.max(x, 0.2 * x);
    };
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** x * Phi(x), Phi the distribution function of the standard normal. */
  static double gelu(double x) {
    return x * 0.5 * (1 + erf(x / Math.sqrt(2)));
  }

  /**
   * The error function by its series of positive terms, erf(x) = 2/sqrt(pi) exp(-x^2) sum over n of
   * 2^n x^(2n+1) / (1 3 5 ... (2n+1)) (Abramowitz and Stegun 7.1.6): no cancellation.
   */
  static double erf(double x) {
    double magnitude = Math.abs(x);
    if (magnitude >= ERF_SATURATION) {
      return Math.signum(x);
    }
    double term = magnitude;
    double sum = term;
    for (int n = 1; term > sum * 1e-17; n++) {
      term *= 2 * magnitude * magnitude / (2 * n + 1);
      sum += term;
    }
    return Math.signum(x) * 2 / Math.sqrt(Math.PI) * Math.exp(-magnitude * magnitude) * sum;
  }
}
