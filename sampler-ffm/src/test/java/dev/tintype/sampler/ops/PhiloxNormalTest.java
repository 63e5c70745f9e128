package dev.tintype.sampler.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxNormalTest {

  /** The philox4x32 vectors of ten rounds in Random123's kat_vectors. */
  @ParameterizedTest
  @CsvSource({
    "00000000 00000000 00000000 00000000, 00000000 00000000, 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff, ffffffff ffffffff, 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344, a4093822 299f31d0, d16cfe09 94fdcceb 5001e420 24126ea1",
  })
  void answersAsRandom123(String counter, String key, String expected) {
    int[] words = words(counter);
    int[] keys = words(key);
    PhiloxNormal.philox(words, keys[0], keys[1]);
    assertThat(words).containsExactly(words(expected));
  }

  private static int[] words(String hex) {
    return Arrays.stream(hex.split(" "))
        .mapToInt(word -> Integer.parseUnsignedInt(word, 16))
        .toArray();
  }

  @Test
  void isStandardNormal() {
    int count = 200_000;
    float[] values = new float[count];
    PhiloxNormal.fill(42, 0, values, 0, count);
    double mean = 0;
    double square = 0;
    int outside = 0;
    for (float value : values) {
      mean += value;
      square += (double) value * value;
      outside += Math.abs(value) > 1.959964 ? 1 : 0;
    }
    // Five standard errors of each estimate.
    assertThat(mean / count).isCloseTo(0, within(5 / Math.sqrt(count)));
    assertThat(square / count).isCloseTo(1, within(5 * Math.sqrt(2.0 / count)));
    assertThat(outside / (double) count).isCloseTo(0.05, within(5 * Math.sqrt(0.0475 / count)));
  }

  @Test
  void dependsOnSeedAndStreamAndIndexOnly() {
    float[] whole = new float[11];
    float[] prefix = new float[7];
    PhiloxNormal.fill(-3, 5, whole, 0, 11);
    PhiloxNormal.fill(-3, 5, prefix, 0, 7);
    assertThat(Arrays.copyOf(whole, 7)).containsExactly(prefix);

    float[] otherStream = new float[7];
    PhiloxNormal.fill(-3, 6, otherStream, 0, 7);
    float[] otherSeed = new float[7];
    PhiloxNormal.fill(-3L & 0xffff_ffffL, 5, otherSeed, 0, 7);
    assertThat(otherStream).isNotEqualTo(prefix);
    assertThat(otherSeed).as("the high half of the seed counts").isNotEqualTo(prefix);
  }
}
