package dev.tintype.sampler.ops;

/**
 * The table behind {@link Ops#timestepEmbedding}, computed on the host: a few hundred values per
 * step, and one definition for all devices.
 */
public final class SinusoidalEmbedding {
  private static final double MAX_PERIOD = 10_000;

  private SinusoidalEmbedding() {}

  /**
   * [n] timesteps to row-major [n, channels]; an odd last channel is zero. Frequencies and phases
   * are rounded to float where diffusers' get_timestep_embedding does: at timestep 999 one unit in
   * the last place of a frequency moves the sine by 6e-5, so a more exact table would be a
   * different one.
   */
  public static float[] compute(
      double[] timesteps, int channels, boolean flipSinToCos, double downscaleFreqShift) {
    int half = channels / 2;
    float[] frequencies = new float[half];
    for (int j = 0; j < half; j++) {
      float exponent = (float) -Math.log(MAX_PERIOD) * j;
      frequencies[j] = (float) StrictMath.exp(exponent / (float) (half - downscaleFreqShift));
    }
    int sines = flipSinToCos ? half : 0;
    int cosines = flipSinToCos ? 0 : half;
    float[] rows = new float[Math.multiplyExact(timesteps.length, channels)];
    for (int i = 0; i < timesteps.length; i++) {
      int row = i * channels;
      for (int j = 0; j < half; j++) {
        float phase = (float) timesteps[i] * frequencies[j];
        rows[row + sines + j] = (float) StrictMath.sin(phase);
        rows[row + cosines + j] = (float) StrictMath.cos(phase);
      }
    }
    return rows;
  }
}
