package dev.tintype.perf.gpu;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.weights.HostTensor;
import dev.tintype.sampler.weights.WeightSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A checkpoint that has every tensor that is asked for, in fp16, filled with small random numbers:
 * speed does not depend on the values, as long as they are not zeros.
 */
final class RandomWeights implements WeightSource {
  private final String prefix;
  private final SplittableRandom random;

  RandomWeights(long seed) {
    this("", new SplittableRandom(seed));
  }

  private RandomWeights(String prefix, SplittableRandom random) {
    this.prefix = prefix;
    this.random = random;
  }

  @Override
  public Set<String> keys() {
    return Set.of();
  }

  /** Everything but the marks of old key names and of optional parts. */
  @Override
  public boolean contains(String key) {
    return !key.endsWith("query.weight") && !key.endsWith("text_projection.weight");
  }

  @Override
  public HostTensor get(String key, long... expectedShape) {
    Shape shape = Shape.of(expectedShape);
    long fanIn = shape.rank() < 2 ? 1 : shape.elements() / shape.dim(0);
    // Keeps the scale of activations through a layer; norms and biases get their usual size.
    double deviation = shape.rank() < 2 ? 0.1 : 1 / Math.sqrt(fanIn);
    double mean = shape.rank() < 2 && key.endsWith("weight") ? 1 : 0;
    MemorySegment data = Arena.ofAuto().allocate(2 * shape.elements(), 2);
    long bits = 1;
    for (long i = 0; i < shape.elements(); i++) {
      // Uniform with that deviation, from 16 bits at a time.
      if (bits <= 1) {
        bits = random.nextLong() >>> 1 | 1L << 48;
      }
      double uniform = ((bits & 0xffff) / 32768.0 - 1) * Math.sqrt(3);
      bits >>>= 16;
      data.setAtIndex(
          ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) (mean + deviation * uniform)));
    }
    return new HostTensor(prefix + key, DType.F16, shape, data);
  }

  @Override
  public WeightSource below(String deeper) {
    return new RandomWeights(prefix + deeper + ".", random);
  }
}
