package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;

/**
 * The random numbers of one sample, each [1, h, w, c] of standard normal values; the caller closes
 * them. Golden cases give diffusers' own.
 */
public interface NoiseSource {
  /** What the sample starts from. */
  Tensor start(Shape item);

  /** What step {@code step} of the plan adds, where its scheduler draws noise. */
  Tensor step(int step, Shape item);

  /** For the draw from the VAE's posterior of the picture to start from. */
  Tensor posterior(Shape item);

  /** The same for the picture with the mask cut out. */
  Tensor maskedPosterior(Shape item);

  /**
   * Philox noise of a seed: each draw has its own stream, so that no draw depends on whether
   * another one was made.
   */
  static NoiseSource seeded(Ops ops, long seed) {
    return new NoiseSource() {
      private static final long START = 0;
      private static final long FIRST_STEP = 1;
      private static final long POSTERIOR = 1L << 32;
      private static final long MASKED_POSTERIOR = (1L << 32) + 1;

      @Override
      public Tensor start(Shape item) {
        return draw(START, item);
      }

      @Override
      public Tensor step(int step, Shape item) {
        return draw(FIRST_STEP + step, item);
      }

      @Override
      public Tensor posterior(Shape item) {
        return draw(POSTERIOR, item);
      }

      @Override
      public Tensor maskedPosterior(Shape item) {
        return draw(MASKED_POSTERIOR, item);
      }

      private Tensor draw(long stream, Shape item) {
        return ops.normalNoise(new long[] {seed}, stream, item);
      }
    };
  }
}
