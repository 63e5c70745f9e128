package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.StepCoefficients;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** Guidance, scheduler steps and pixels: a latent is small, one thread and doubles suffice. */
final class NativeSampling {
  private final Engine engine;

  NativeSampling(Engine engine) {
    this.engine = engine;
  }

  Tensor guide(Tensor uncond, Tensor text, float scale, float rescale) {
    Tensor result = engine.workspace().tensor(text.shape());
    int samples = text.shape().intDim(0);
    long item = text.elements() / Math.max(1, samples);
    for (int n = 0; n < samples; n++) {
      MemorySegment plain = uncond.slice(n, n + 1).data();
      MemorySegment prompted = text.slice(n, n + 1).data();
      MemorySegment to = result.slice(n, n + 1).data();
      double factor = 1;
      if (rescale > 0) {
        double wanted = deviation(prompted, prompted, 1, item);
        double found = deviation(plain, prompted, scale, item);
        factor = rescale * wanted / found + (1 - rescale);
      }
      for (long i = 0; i < item; i++) {
        double guided = guided(plain, prompted, scale, i);
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
      StepCoefficients c) {
    Tensor previous = engine.workspace().tensor(sample.shape());
    Tensor original = engine.workspace().tensor(sample.shape());
    MemorySegment x = sample.data();
    MemorySegment m = model.data();
    MemorySegment h = history.map(Tensor::data).orElse(MemorySegment.NULL);
    MemorySegment e = noise.map(Tensor::data).orElse(MemorySegment.NULL);
    for (long i = 0; i < sample.elements(); i++) {
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
