package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.StepCoefficients;
import java.util.Optional;

/** Guidance, scheduler steps and pixels. */
final class ReferenceSampling {
  private ReferenceSampling() {}

  static float[] guide(Tensor uncond, Tensor text, float scale, float rescale) {
    float[] without = HeapTensors.read(uncond);
    float[] with = HeapTensors.read(text);
    float[] result = new float[with.length];
    int samples = text.shape().intDim(0);
    int item = with.length / Math.max(1, samples);
    for (int n = 0; n < samples; n++) {
      double[] guided = new double[item];
      double[] prompted = new double[item];
      for (int i = 0; i < item; i++) {
        prompted[i] = with[n * item + i];
        double plain = without[n * item + i];
        guided[i] = plain + scale * (prompted[i] - plain);
      }
      double factor = 1;
      if (rescale > 0) {
        double ratio = standardDeviation(prompted) / standardDeviation(guided);
        factor = rescale * ratio + (1 - rescale);
      }
      for (int i = 0; i < item; i++) {
        result[n * item + i] = (float) (guided[i] * factor);
      }
    }
    return result;
  }

  private static double standardDeviation(double[] values) {
    double mean = 0;
    for (double value : values) {
      mean += value;
    }
    mean /= values.length;
    double sum = 0;
    for (double value : values) {
      sum += (value - mean) * (value - mean);
    }
    return Math.sqrt(sum / (values.length - 1));
  }

  /** Previous samples in [0], predicted originals in [1]. */
  static float[][] step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      StepCoefficients c) {
    float[] samples = HeapTensors.read(sample);
    float[] models = HeapTensors.read(model);
    float[] histories = history.map(HeapTensors::read).orElse(null);
    float[] noises = noise.map(HeapTensors::read).orElse(null);
    float[] previous = new float[samples.length];
    float[] original = new float[samples.length];
    for (int i = 0; i < samples.length; i++) {
      double x0 = c.x0Sample() * samples[i] + c.x0Model() * models[i];
      x0 = Math.clamp(x0, -c.clipRange(), c.clipRange());
      double next = c.prevX0() * x0 + c.prevSample() * samples[i] + c.prevModel() * models[i];
      if (c.usesHistory()) {
        next += c.prevHistory() * histories[i];
      }
      if (c.usesNoise()) {
        next += c.prevNoise() * noises[i];
      }
      original[i] = (float) x0;
      previous[i] = (float) next;
    }
    return new float[][] {previous, original};
  }

  /** In float and half-to-even, as numpy does it: one bit matters when pictures are compared. */
  static byte[] toRgb8(Tensor image) {
    float[] values = HeapTensors.read(image);
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      float unit = Math.clamp(values[i] * 0.5f + 0.5f, 0f, 1f);
      bytes[i] = (byte) Math.rint(unit * 255f);
    }
    return bytes;
  }
}
