package dev.tintype.sampler.ops;

/**
 * One scheduler step as numbers, so that every scheduler is the same fused device verb:
 *
 * <pre>
 *   x0   = clip(x0Sample * sample + x0Model * model, [-clipRange, clipRange])
 *   prev = prevX0 * x0 + prevSample * sample + prevModel * model + prevHistory * history + prevNoise * noise
 * </pre>
 *
 * where {@code history} is the x0 of the step before (DPM-Solver++ 2M). Schedulers compute these in
 * double precision from their tables; DDIM, Euler, Euler ancestral, DPM-Solver++ 2M, DDPM and LCM
 * all have this form.
 *
 * @param clipRange infinity when the prediction of x0 is not clipped
 */
public record StepCoefficients(
    double x0Sample,
    double x0Model,
    double clipRange,
    double prevX0,
    double prevSample,
    double prevModel,
    double prevHistory,
    double prevNoise) {

  public boolean usesHistory() {
    return prevHistory != 0;
  }

  public boolean usesNoise() {
    return prevNoise != 0;
  }
}
