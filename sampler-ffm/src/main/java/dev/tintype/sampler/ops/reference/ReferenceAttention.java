package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.device.Tensor;
import java.util.stream.IntStream;

/** softmax(q k^T scale) v, one query at a time. */
final class ReferenceAttention {
  private ReferenceAttention() {}

  static float[] attend(Tensor q, Tensor k, Tensor v, int heads, double scale, boolean causal) {
    int batch = q.shape().intDim(0);
    int queries = q.shape().intDim(1);
    int keys = k.shape().intDim(1);
    int channels = q.shape().intDim(2);
    int depth = channels / heads;
    float[] queryValues = HeapTensors.read(q);
    float[] keyValues = HeapTensors.read(k);
    float[] valueValues = HeapTensors.read(v);
    float[] result = new float[queryValues.length];
    IntStream.range(0, batch * queries * heads)
        .parallel()
        .forEach(
            index -> {
              int h = index % heads;
              int t = index / heads % queries;
              int n = index / heads / queries;
              int query = (n * queries + t) * channels + h * depth;
              int firstKey = n * keys * channels + h * depth;
              double[] weights = new double[causal ? t + 1 : keys];
              for (int s = 0; s < weights.length; s++) {
                double dot = 0;
                for (int d = 0; d < depth; d++) {
                  dot += (double) queryValues[query + d] * keyValues[firstKey + s * channels + d];
                }
                weights[s] = dot * scale;
              }
              softmax(weights);
              for (int d = 0; d < depth; d++) {
                double sum = 0;
                for (int s = 0; s < weights.length; s++) {
                  sum += weights[s] * valueValues[firstKey + s * channels + d];
                }
                result[query + d] = (float) sum;
              }
            });
    return result;
  }

  private static void softmax(double[] values) {
    double maximum = Double.NEGATIVE_INFINITY;
    for (double value : values) {
      maximum = Math.max(maximum, value);
    }
    double total = 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.exp(values[i] - maximum);
      total += values[i];
    }
    for (int i = 0; i < values.length; i++) {
      values[i] /= total;
    }
  }
}
