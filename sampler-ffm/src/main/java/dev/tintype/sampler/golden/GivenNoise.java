package dev.tintype.sampler.golden;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.pipeline.NoiseSource;

/**
 * The random numbers that diffusers drew, {@code noise.i} in the order of its draws, of one sample
 * of a case.
 *
 * @param sample which item of the batch
 * @param startKey key of the start noise
 * @param stepsFrom number of the draw that belongs to step {@code firstStep}
 * @param firstStep first step that is run
 */
record GivenNoise(
    GoldenCase c,
    int sample,
    String startKey,
    String posteriorKey,
    String maskedPosteriorKey,
    int stepsFrom,
    int firstStep)
    implements NoiseSource {

  @Override
  public Tensor start(Shape item) {
    return given(startKey, item);
  }

  @Override
  public Tensor step(int step, Shape item) {
    return given("noise." + (stepsFrom + step - firstStep), item);
  }

  @Override
  public Tensor posterior(Shape item) {
    return given(posteriorKey, item);
  }

  @Override
  public Tensor maskedPosterior(Shape item) {
    return given(maskedPosteriorKey, item);
  }

  private Tensor given(String key, Shape item) {
    try (Tensor all = c.image(key)) {
      int row = all.shape().dim(0) == 1 ? 0 : sample;
      if (row >= all.shape().dim(0) || all.elements() / all.shape().dim(0) != item.elements()) {
        throw new GoldenException(key + " is " + all.shape() + " for samples of " + item);
      }
      try (Tensor own = all.slice(row, row + 1)) {
        return c.ops().scale(own, 1);
      }
    }
  }
}
