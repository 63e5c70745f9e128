package dev.tintype.sampler.ops;

/**
 * Standard normal values as a pure function of (seed, stream, element index): Philox 4x32 with ten
 * rounds (Salmon et al., SC 2011) and the Box-Muller transform.
 *
 * <p>The definition, which every device follows. Key: the seed's low and high 32 bits. Counter: low
 * and high 32 bits of {@code index / 2}, then low and high 32 bits of {@code stream}. Of the four
 * words w0..w3 the two uniforms are u1 = ((w0 * 2^32 + w1) >> 12 + 0.5) * 2^-52 and u2 the same of
 * w2, w3: both strictly between 0 and 1. An even index gets sqrt(-2 ln u1) cos(2 pi u2), an odd one
 * the sine. All in double, by {@link StrictMath}, rounded to float at the end: the same bits on
 * every machine.
 */
public final class PhiloxNormal {
  private static final long MASK = 0xffff_ffffL;
  private static final long MULTIPLIER_0 = 0xD251_1F53L;
  private static final long MULTIPLIER_1 = 0xCD9E_8D57L;
  private static final int WEYL_0 = 0x9E37_79B9;
  private static final int WEYL_1 = 0xBB67_AE85;
  private static final int ROUNDS = 10;
  private static final double UNIT = 0x1p-52;

  private PhiloxNormal() {}

  /** Fills {@code out[offset + i]} with the value of element i, for i in [0, count). */
  public static void fill(long seed, long stream, float[] out, int offset, int count) {
    int[] words = new int[4];
    for (int i = 0; i < count; i += 2) {
      block(seed, stream, i >>> 1, words);
      double radius = StrictMath.sqrt(-2 * StrictMath.log(uniform(words[0], words[1])));
      double angle = 2 * Math.PI * uniform(words[2], words[3]);
      out[offset + i] = (float) (radius * StrictMath.cos(angle));
      if (i + 1 < count) {
        out[offset + i + 1] = (float) (radius * StrictMath.sin(angle));
      }
    }
  }

  private static void block(long seed, long stream, long index, int[] words) {
    words[0] = (int) index;
    words[1] = (int) (index >>> 32);
    words[2] = (int) stream;
    words[3] = (int) (stream >>> 32);
    philox(words, (int) seed, (int) (seed >>> 32));
  }

  /** Philox 4x32-10: replaces the counter in {@code words} by its four random words. */
  static void philox(int[] words, int key0, int key1) {
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = MULTIPLIER_0 * (words[0] & MASK);
      long product1 = MULTIPLIER_1 * (words[2] & MASK);
      words[0] = (int) (product1 >>> 32) ^ words[1] ^ key0;
      words[1] = (int) product1;
      words[2] = (int) (product0 >>> 32) ^ words[3] ^ key1;
      words[3] = (int) product0;
      key0 += WEYL_0;
      key1 += WEYL_1;
    }
  }

  private static double uniform(int high, int low) {
    long bits = (high & MASK) << 32 | low & MASK;
    return ((bits >>> 12) + 0.5) * UNIT;
  }
}
