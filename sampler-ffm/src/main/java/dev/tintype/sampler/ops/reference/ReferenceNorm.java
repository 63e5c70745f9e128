package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import java.util.Optional;

/** Group and layer normalisation: two passes, mean first. */
final class ReferenceNorm {
  private ReferenceNorm() {}

  static float[] group(
      Tensor x,
      Optional<ChannelBias> bias,
      ReferenceWeights.Norm weights,
      int groups,
      double epsilon,
      Activation activation) {
    Shape shape = x.shape();
    double[] values = summed(x, bias);
    float[] result = new float[values.length];
    int channels = shape.intDim(-1);
    int perGroup = channels / groups;
    int batch = shape.intDim(0);
    int pixels = values.length / Math.max(1, batch * channels);
    for (int n = 0; n < batch; n++) {
      for (int g = 0; g < groups; g++) {
        double mean = 0;
        for (int p = 0; p < pixels; p++) {
          for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
            mean += values[(n * pixels + p) * channels + c];
          }
        }
        mean /= (double) pixels * perGroup;
        double variance = 0;
        for (int p = 0; p < pixels; p++) {
          for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
            double difference = values[(n * pixels + p) * channels + c] - mean;
            variance += difference * difference;
          }
        }
        variance /= (double) pixels * perGroup;
        double inverse = 1 / Math.sqrt(variance + epsilon);
        for (int p = 0; p < pixels; p++) {
          for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
            int i = (n * pixels + p) * channels + c;
            double normal = (values[i] - mean) * inverse;
            result[i] =
                (float)
                    ReferenceActivation.apply(
                        activation, normal * weights.scale()[c] + weights.shift()[c]);
          }
        }
      }
    }
    return result;
  }

  /** What is normalised. */
  private static double[] summed(Tensor x, Optional<ChannelBias> bias) {
    float[] values = HeapTensors.read(x);
    float[] rows = bias.map(b -> HeapTensors.read(b.rows())).orElse(null);
    int channels = x.shape().intDim(-1);
    int item = values.length / Math.max(1, x.shape().intDim(0));
    double[] sums = new double[values.length];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = values[i];
      if (rows != null) {
        sums[i] += rows[i / item * bias.get().stride() + bias.get().from() + i % channels];
      }
    }
    return sums;
  }

  static float[] layer(Tensor x, ReferenceWeights.Norm weights, double epsilon) {
    float[] values = HeapTensors.read(x);
    float[] result = new float[values.length];
    int channels = x.shape().intDim(-1);
    for (int row = 0; row < values.length; row += channels) {
      double mean = 0;
      for (int c = 0; c < channels; c++) {
        mean += values[row + c];
      }
      mean /= channels;
      double variance = 0;
      for (int c = 0; c < channels; c++) {
        double difference = values[row + c] - mean;
        variance += difference * difference;
      }
      double inverse = 1 / Math.sqrt(variance / channels + epsilon);
      for (int c = 0; c < channels; c++) {
        double normal = (values[row + c] - mean) * inverse;
        result[row + c] = (float) (normal * weights.scale()[c] + weights.shift()[c]);
      }
    }
    return result;
  }
}
