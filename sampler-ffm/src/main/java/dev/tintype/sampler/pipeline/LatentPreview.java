package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.AutoencoderKl;
import dev.tintype.sampler.ops.Ops;
import java.util.Optional;

/**
 * Latents to colours without the VAE: colour is nearly linear in the latent, so a matrix of
 * (channels + 1) x 3 numbers shows what the picture will be. The matrix is fitted to the model's
 * own decoder once, by least squares on one small latent of noise.
 */
final class LatentPreview {
  private static final int FIT_EXTENT = 24;
  private static final long FIT_SEED = 1;

  /** Keeps the normal equations solvable for a decoder that ignores a channel. */
  private static final double RIDGE = 1e-3;

  private final Ops ops;
  private final AutoencoderKl vae;
  private final LatentScale scale;
  private Optional<double[][]> matrix = Optional.empty();

  LatentPreview(Ops ops, AutoencoderKl vae, LatentScale scale) {
    this.ops = ops;
    this.vae = vae;
    this.scale = scale;
  }

  RgbImage of(Tensor latents) {
    double[][] m = matrix.orElseGet(this::fit);
    matrix = Optional.of(m);
    int channels = latents.shape().intDim(3);
    float[] values = ops.download(latents);
    byte[] rgb = new byte[values.length / channels * 3];
    for (int i = 0; i < rgb.length; i++) {
      double sum = m[channels][i % 3];
      for (int c = 0; c < channels; c++) {
        sum += m[c][i % 3] * values[i / 3 * channels + c];
      }
      rgb[i] = (byte) Math.clamp(Math.round((sum / 2 + 0.5) * 255), 0, 255);
    }
    return new RgbImage(latents.shape().intDim(2), latents.shape().intDim(1), rgb);
  }

  private double[][] fit() {
    int channels = vae.config().latentChannels();
    Shape item = Shape.of(FIT_EXTENT, FIT_EXTENT, channels);
    try (Tensor latent = ops.normalNoise(new long[] {FIT_SEED}, 0, item);
        Tensor unscaled = scale.toVae(latent);
        Tensor picture = vae.decode(unscaled)) {
      return solve(ops.download(latent), averaged(picture), channels);
    }
  }

  /** Mean colour of the pixels of each latent element, [h * w * 3]. */
  private float[] averaged(Tensor picture) {
    int factor = vae.config().scaleFactor();
    int width = picture.shape().intDim(2);
    float[] pixels = ops.download(picture);
    float[] means = new float[FIT_EXTENT * FIT_EXTENT * 3];
    for (int i = 0; i < pixels.length; i++) {
      int pixel = i / 3;
      int cell = pixel / width / factor * FIT_EXTENT + pixel % width / factor;
      means[cell * 3 + i % 3] += pixels[i] / (factor * factor);
    }
    return means;
  }

  /** Least squares of colours on (latent, 1), by the normal equations. */
  private static double[][] solve(float[] latents, float[] colours, int channels) {
    int n = channels + 1;
    double[][] system = new double[n][n + 3];
    double[] row = new double[n];
    row[channels] = 1;
    for (int p = 0; p < colours.length / 3; p++) {
      for (int c = 0; c < channels; c++) {
        row[c] = latents[p * channels + c];
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          system[i][j] += row[i] * row[j];
        }
        for (int k = 0; k < 3; k++) {
          system[i][n + k] += row[i] * colours[p * 3 + k];
        }
      }
    }
    for (int i = 0; i < n; i++) {
      system[i][i] += RIDGE;
    }
    return eliminate(system, n);
  }

  /** Gauss-Jordan; a positive definite matrix needs no pivoting. */
  private static double[][] eliminate(double[][] system, int n) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double factor = j == i ? 0 : system[j][i] / system[i][i];
        for (int k = i; k < n + 3 && factor != 0; k++) {
          system[j][k] -= factor * system[i][k];
        }
      }
    }
    double[][] solution = new double[n][3];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < 3; k++) {
        solution[i][k] = system[i][n + k] / system[i][i];
      }
    }
    return solution;
  }
}
