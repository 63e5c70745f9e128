package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.StepCoefficients;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/** Guidance, scheduler steps and pixels: a latent is small, one thread and doubles suffice. */
final class NativeSampling {
  private final Engine engine;

  NativeSampling(Engine engine) {
    this.engine = engine;
  }

  Tensor guide(Tensor uncond, Tensor text, float[] scale, float[] rescale) {
    Tensor result = engine.workspace().tensor(text.shape());
    long item = text.elements() / scale.length;
    for (int n = 0; n < scale.length; n++) {
      MemorySegment plain = uncond.slice(n, n + 1).data();
      MemorySegment prompted = text.slice(n, n + 1).data();
      MemorySegment to = result.slice(n, n + 1).data();
      double factor = 1;
      if (rescale[n] > 0) {
        double wanted = deviation(prompted, prompted, 1, item);
        double found = deviation(plain, prompted, scale[n], item);
        factor = rescale[n] * wanted / found + (1 - rescale[n]);
      }
      for (long i = 0; i < item; i++) {
        double guided = guided(plain, prompted, scale[n], i);
        to.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (guided * factor));
      }
    }
    return result;
  }

  private static double guided(MemorySegment plain, MemorySegment prompted, float scale, long i) {
    double base = at(plain, i);
    return base + scale * (at(prompted, i) - base);
  }

  /** Sample standard deviation of the guided prediction. */
  private static double deviation(
      MemorySegment plain, MemorySegment prompted, float scale, long count) {
    double mean = 0;
    for (long i = 0; i < count; i++) {
      mean += guided(plain, prompted, scale, i);
    }
    mean /= count;
    double squares = 0;
    for (long i = 0; i < count; i++) {
      double difference = guided(plain, prompted, scale, i) - mean;
      squares += difference * difference;
    }
    return Math.sqrt(squares / (count - 1));
  }

  Ops.Stepped step(
      Tensor sample,
      Tensor model,
      Optional<Tensor> history,
      Optional<Tensor> noise,
      List<StepCoefficients> coefficients) {
    Tensor previous = engine.workspace().tensor(sample.shape());
    Tensor original = engine.workspace().tensor(sample.shape());
    MemorySegment x = sample.data();
    MemorySegment m = model.data();
    MemorySegment h = history.map(Tensor::data).orElse(MemorySegment.NULL);
    MemorySegment e = noise.map(Tensor::data).orElse(MemorySegment.NULL);
    long item = sample.elements() / coefficients.size();
    for (int n = 0; n < coefficients.size(); n++) {
      StepCoefficients c = coefficients.get(n);
      for (long i = n * item; i < (n + 1) * item; i++) {
        double x0 = c.x0Sample() * at(x, i) + c.x0Model() * at(m, i);
        x0 = Math.clamp(x0, -c.clipRange(), c.clipRange());
        double next = c.prevX0() * x0 + c.prevSample() * at(x, i) + c.prevModel() * at(m, i);
        if (c.usesHistory()) {
          next += c.prevHistory() * at(h, i);
        }
        if (c.usesNoise()) {
          next += c.prevNoise() * at(e, i);
        }
        original.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) x0);
        previous.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) next);
      }
    }
    return new Ops.Stepped(previous, original);
  }

  /** In float and half-to-even, as numpy does it. */
  static byte[] toRgb8(Tensor image) {
    byte[] bytes = new byte[Math.toIntExact(image.elements())];
    MemorySegment data = image.data();
    for (int i = 0; i < bytes.length; i++) {
      float unit = Math.clamp(at(data, i) * 0.5f + 0.5f, 0f, 1f);
      bytes[i] = (byte) Math.rint(unit * 255f);
    }
    return bytes;
  }

  private static float at(MemorySegment data, long i) {
    return data.getAtIndex(ValueLayout.JAVA_FLOAT, i);
  }
}
