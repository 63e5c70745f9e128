package dev.tintype.sampler.ops.onednn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** The same picture before and after the compiler had its turn. */
class LaneSumTest {
  /** Enough for every tier of the compiler; reduceLanes changes its last bits on the way. */
  private static final int CALLS = 60_000;

  @Test
  void theOrderOfTheSumDoesNotChangeWhenTheCodeIsCompiled() {
    Random random = new Random(5);
    float[] values = new float[VectorMath.LANES];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() * (1 << random.nextInt(12));
    }
    int bits = Float.floatToRawIntBits(halves(values, 0, values.length));
    int different = 0;
    for (int call = 0; call < CALLS; call++) {
      float sum = VectorMath.sum(FloatVector.fromArray(VectorMath.SPECIES, values, 0));
      different += Float.floatToRawIntBits(sum) == bits ? 0 : 1;
    }
    assertThat(different).isZero();
  }

  /** Lane i meets lane i + half, until one is left. */
  private static float halves(float[] values, int first, int count) {
    float[] left = Arrays.copyOfRange(values, first, first + count);
    for (int half = count / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        left[i] += left[i + half];
      }
    }
    return left[0];
  }
}
