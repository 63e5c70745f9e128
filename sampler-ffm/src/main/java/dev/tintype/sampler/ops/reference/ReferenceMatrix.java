package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import java.util.stream.IntStream;

/** Convolution and linear layer by their definitions, and the epilogue that both share. */
final class ReferenceMatrix {
  private ReferenceMatrix() {}

  /** Result element [n, y, x, o] is the sum over the kernel window and the input channels. */
  static float[] conv2d(Tensor input, ReferenceWeights.Conv2d weights, Epilogue epilogue) {
    Shape in = input.shape();
    Conv2dGeometry g = weights.geometry();
    Shape out = g.output(in, weights.outChannels());
    float[] values = HeapTensors.read(input);
    double[] sums = new double[Math.toIntExact(out.elements())];
    int height = out.intDim(1);
    IntStream.range(0, out.intDim(0) * height)
        .parallel()
        .forEach(
            row -> {
              int n = row / height;
              int y = row % height;
              for (int x = 0; x < out.intDim(2); x++) {
                int pixel = (row * out.intDim(2) + x) * out.intDim(3);
                for (int o = 0; o < out.intDim(3); o++) {
                  sums[pixel + o] =
                      weights.bias()[o] + window(values, in, n, y, x, weights.kernel(), o, g);
                }
              }
            });
    return finish(sums, epilogue);
  }

  private static double window(
      float[] values, Shape in, int n, int y, int x, float[] kernel, int o, Conv2dGeometry g) {
    int height = in.intDim(1);
    int width = in.intDim(2);
    int channels = in.intDim(3);
    int area = g.kernelHeight() * g.kernelWidth();
    double sum = 0;
    for (int ky = 0; ky < g.kernelHeight(); ky++) {
      int sourceY = y * g.stride() + ky - g.padTop();
      if (sourceY < 0 || sourceY >= height) {
        continue;
      }
      for (int kx = 0; kx < g.kernelWidth(); kx++) {
        int sourceX = x * g.stride() + kx - g.padLeft();
        if (sourceX < 0 || sourceX >= width) {
          continue;
        }
        int source = ((n * height + sourceY) * width + sourceX) * channels;
        int weight = o * channels * area + ky * g.kernelWidth() + kx;
        for (int c = 0; c < channels; c++) {
          sum += (double) values[source + c] * kernel[weight + c * area];
        }
      }
    }
    return sum;
  }

  /** Row r, column o of the result is the dot product of row r and weight row o. */
  static float[] linear(Tensor input, ReferenceWeights.Linear weights, Epilogue epilogue) {
    Shape out = input.shape().with(-1, weights.outFeatures());
    float[] values = HeapTensors.read(input);
    int inFeatures = weights.inFeatures();
    int outFeatures = weights.outFeatures();
    double[] sums = new double[Math.toIntExact(out.elements())];
    IntStream.range(0, sums.length / Math.max(1, outFeatures))
        .parallel()
        .forEach(
            r -> {
              for (int o = 0; o < outFeatures; o++) {
                double sum = weights.bias()[o];
                for (int i = 0; i < inFeatures; i++) {
                  sum += (double) values[r * inFeatures + i] * weights.matrix()[o * inFeatures + i];
                }
                sums[r * outFeatures + o] = sum;
              }
            });
    return finish(sums, epilogue);
  }

  /** Applies the epilogue, in its order, to sums that already hold the bias; rounds to float. */
  private static float[] finish(double[] sums, Epilogue epilogue) {
    float[] residual = epilogue.residual().map(HeapTensors::read).orElse(null);
    float[] result = new float[sums.length];
    for (int i = 0; i < sums.length; i++) {
      double value = ReferenceActivation.apply(epilogue.activation(), sums[i]) * epilogue.scale();
      if (residual != null) {
        value += residual[i];
      }
      result[i] = (float) value;
    }
    return result;
  }
}
