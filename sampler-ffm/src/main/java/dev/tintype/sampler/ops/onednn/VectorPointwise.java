package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.VectorMath.LANES;
import static dev.tintype.sampler.ops.onednn.VectorMath.first;
import static dev.tintype.sampler.ops.onednn.VectorMath.load;
import static dev.tintype.sampler.ops.onednn.VectorMath.store;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Elementwise verbs. Each has its own loop: a lambda per register would box the register. Elements
 * behind the last full register are done with a mask.
 */
final class VectorPointwise {
  /** Elements per task: 64 kB per operand, so that dealing out tasks costs little. */
  private static final int TASK_ELEMENTS = 16 * 1024;

  /** What one thread takes, about: the activations 0.7, the others less. */
  private static final double NANOS_PER_ELEMENT = 0.5;

  /** A loop over elements [from, to). */
  private interface Range {
    void run(long from, long to);
  }

  private final Engine engine;

  VectorPointwise(Engine engine) {
    this.engine = engine;
  }

  private void split(long elements, Range loop) {
    int tasks = Math.toIntExact((elements + TASK_ELEMENTS - 1) / TASK_ELEMENTS);
    engine
        .team()
        .parallel(
            tasks,
            elements * NANOS_PER_ELEMENT,
            task -> {
              long from = (long) task * TASK_ELEMENTS;
              loop.run(from, Math.min(elements, from + TASK_ELEMENTS));
            });
  }

  Tensor activate(Tensor x, Activation activation) {
    Tensor result = engine.workspace().tensor(x.shape());
    MemorySegment from = x.data();
    MemorySegment to = result.data();
    split(
        x.elements(),
        switch (activation) {
          case NONE -> (a, b) -> MemorySegment.copy(from, 4 * a, to, 4 * a, 4 * (b - a));
          case SILU -> (a, b) -> swish(from, to, a, b, 1);
          case QUICK_GELU -> (a, b) -> swish(from, to, a, b, 1.702f);
          case GELU -> (a, b) -> gelu(from, to, a, b);
          case RELU -> (a, b) -> leaky(from, to, a, b, 0);
          case LEAKY_RELU_02 -> (a, b) -> leaky(from, to, a, b, 0.2f);
        });
    return result;
  }

  private static void swish(MemorySegment from, MemorySegment to, long a, long b, float slope) {
    long i = a;
    for (; i + LANES <= b; i += LANES) {
      store(VectorMath.swish(load(from, i), slope), to, i);
    }
    if (i < b) {
      VectorMask<Float> mask = first(b - i);
      store(VectorMath.swish(load(from, i, mask), slope), to, i, mask);
    }
  }

  private static void gelu(MemorySegment from, MemorySegment to, long a, long b) {
    long i = a;
    for (; i + LANES <= b; i += LANES) {
      store(VectorMath.gelu(load(from, i)), to, i);
    }
    if (i < b) {
      VectorMask<Float> mask = first(b - i);
      store(VectorMath.gelu(load(from, i, mask)), to, i, mask);
    }
  }

  private static void leaky(MemorySegment from, MemorySegment to, long a, long b, float slope) {
    long i = a;
    for (; i + LANES <= b; i += LANES) {
      FloatVector x = load(from, i);
      store(x.max(x.mul(slope)), to, i);
    }
    if (i < b) {
      VectorMask<Float> mask = first(b - i);
      FloatVector x = load(from, i, mask);
      store(x.max(x.mul(slope)), to, i, mask);
    }
  }

  /** a x + b y. */
  Tensor combine(float a, Tensor x, float b, Tensor y) {
    Tensor result = engine.workspace().tensor(x.shape());
    MemorySegment left = x.data();
    MemorySegment right = y.data();
    MemorySegment to = result.data();
    split(x.elements(), (from, end) -> combine(a, left, b, right, to, from, end));
    return result;
  }

  private static void combine(
      float a, MemorySegment x, float b, MemorySegment y, MemorySegment to, long from, long end) {
    long i = from;
    for (; i + LANES <= end; i += LANES) {
      store(load(x, i).mul(a).add(load(y, i).mul(b)), to, i);
    }
    if (i < end) {
      VectorMask<Float> mask = first(end - i);
      store(load(x, i, mask).mul(a).add(load(y, i, mask).mul(b)), to, i, mask);
    }
  }

  /** x * factor, then clamped to [low, high]. */
  Tensor scaleAndClamp(Tensor x, float factor, float low, float high) {
    Tensor result = engine.workspace().tensor(x.shape());
    MemorySegment from = x.data();
    MemorySegment to = result.data();
    split(x.elements(), (a, b) -> scaleAndClamp(from, to, a, b, factor, low, high));
    return result;
  }

  private static void scaleAndClamp(
      MemorySegment from, MemorySegment to, long a, long b, float factor, float low, float high) {
    long i = a;
    for (; i + LANES <= b; i += LANES) {
      store(load(from, i).mul(factor).max(low).min(high), to, i);
    }
    if (i < b) {
      VectorMask<Float> mask = first(b - i);
      store(load(from, i, mask).mul(factor).max(low).min(high), to, i, mask);
    }
  }

  /** [rows, 2 half] to [rows, half]. */
  Tensor geglu(Tensor x) {
    int half = x.shape().intDim(-1) / 2;
    Tensor result = engine.workspace().tensor(x.shape().with(-1, half));
    long rows = half == 0 ? 0 : result.elements() / half;
    long rowsPerTask = Math.max(1, TASK_ELEMENTS / Math.max(1, half));
    MemorySegment from = x.data();
    MemorySegment to = result.data();
    engine
        .team()
        .parallel(
            Math.toIntExact((rows + rowsPerTask - 1) / rowsPerTask),
            result.elements() * NANOS_PER_ELEMENT,
            task -> {
              long first = task * rowsPerTask;
              for (long row = first; row < Math.min(rows, first + rowsPerTask); row++) {
                gateRow(from, to, row * 2 * half, row * half, half);
              }
            });
    return result;
  }

  private static void gateRow(MemorySegment from, MemorySegment to, long x, long y, int half) {
    int i = 0;
    for (; i + LANES <= half; i += LANES) {
      store(load(from, x + i).mul(VectorMath.gelu(load(from, x + half + i))), to, y + i);
    }
    if (i < half) {
      VectorMask<Float> mask = first(half - i);
      FloatVector gate = VectorMath.gelu(load(from, x + half + i, mask));
      store(load(from, x + i, mask).mul(gate), to, y + i, mask);
    }
  }

  /** Sets all elements to zero. */
  void clear(Tensor x) {
    split(x.elements(), (a, b) -> x.data().asSlice(4 * a, 4 * (b - a)).fill((byte) 0));
  }
}
