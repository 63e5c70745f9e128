package dev.tintype.sampler.schedule;

/** What the network predicts. Each gives x0 and eps as a linear form of sample and model output. */
enum PredictionType {
  EPSILON,
  V_PREDICTION,
  SAMPLE;

  /** p sample + q model. */
  record Linear(double sample, double model) {}

  /** x0 for signal share a of the variance (a + b = 1). */
  Linear original(double a) {
    double b = 1 - a;
    return switch (this) {
      case EPSILON -> new Linear(1 / Math.sqrt(a), -Math.sqrt(b) / Math.sqrt(a));
      case V_PREDICTION -> new Linear(Math.sqrt(a), -Math.sqrt(b));
      case SAMPLE -> new Linear(0, 1);
    };
  }

  /** eps for signal share a of the variance. */
  Linear epsilon(double a) {
    double b = 1 - a;
    return switch (this) {
      case EPSILON -> new Linear(0, 1);
      case V_PREDICTION -> new Linear(Math.sqrt(b), Math.sqrt(a));
      case SAMPLE -> new Linear(1 / Math.sqrt(b), -Math.sqrt(a) / Math.sqrt(b));
    };
  }

  /**
   * x0 where the sample is x0 + sigma eps (the variance-exploding form of the Euler schedulers).
   */
  Linear originalFromSigma(double sigma) {
    return switch (this) {
      case EPSILON -> new Linear(1, -sigma);
      case V_PREDICTION ->
          new Linear(1 / (sigma * sigma + 1), -sigma / Math.sqrt(sigma * sigma + 1));
      case SAMPLE -> new Linear(0, 1);
    };
  }
}
