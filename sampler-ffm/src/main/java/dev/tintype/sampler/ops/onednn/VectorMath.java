package dev.tintype.sampler.ops.onednn;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Functions of one register of floats. Written out instead of VectorOperators.EXP, which calls a
 * library per register and spills everything around the call.
 */
final class VectorMath {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  static final int LANES = SPECIES.length();
  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  static final float LOG2_E = 1.44269504f;

  /** ln 2 in two parts; the first has trailing zero bits, so that k times it is exact. */
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -2.12194440e-4f;

  /** Adding it rounds a float to an integer, whose bits then stand in the low mantissa. */
  private static final float ROUND_MAGIC = 12582912f;

  private static final float EXP_MIN = -87.3f;
  private static final float EXP_MAX = 88f;
  private static final float POWER_MIN = -126f;

  private VectorMath() {}

  static FloatVector load(MemorySegment data, long element) {
    return FloatVector.fromMemorySegment(SPECIES, data, element << 2, ORDER);
  }

  static FloatVector load(MemorySegment data, long element, VectorMask<Float> mask) {
    return FloatVector.fromMemorySegment(SPECIES, data, element << 2, ORDER, mask);
  }

  static void store(FloatVector value, MemorySegment data, long element) {
    value.intoMemorySegment(data, element << 2, ORDER);
  }

  static void store(FloatVector value, MemorySegment data, long element, VectorMask<Float> mask) {
    value.intoMemorySegment(data, element << 2, ORDER, mask);
  }

  /**
   * The sum of all lanes, halves upon halves. Not reduceLanes, which may add floats in any order
   * and does: the compiled code gives other last bits than the interpreter, so that a picture would
   * depend on when its code was compiled.
   */
  static float sum(FloatVector value) {
    float[] lanes = new float[LANES];
    value.intoArray(lanes, 0);
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[0];
  }

  /** The first {@code count} lanes. */
  static VectorMask<Float> first(long count) {
    return SPECIES.indexInRange(0, count);
  }

  /**
   * e^x within 2 units in the last place on [-87.3, 88]; clamped outside. x = k ln 2 + r with |r|
   * <= ln 2 / 2, a polynomial of degree 7 for e^r (the minimax coefficients of Cephes' expf), and k
   * added to the exponent bits.
   */
  static FloatVector exp(FloatVector x) {
    FloatVector clamped = x.max(EXP_MIN).min(EXP_MAX);
    FloatVector shifted = clamped.fma(splat(LOG2_E), splat(ROUND_MAGIC));
    FloatVector k = shifted.sub(ROUND_MAGIC);
    FloatVector r = k.fma(splat(-LN2_HIGH), clamped);
    r = k.fma(splat(-LN2_LOW), r);
    FloatVector p = splat(1.9875691500e-4f);
    p = p.fma(r, splat(1.3981999507e-3f));
    p = p.fma(r, splat(8.3334519073e-3f));
    p = p.fma(r, splat(4.1665795894e-2f));
    p = p.fma(r, splat(1.6666665459e-1f));
    p = p.fma(r, splat(5.0000001201e-1f));
    p = p.mul(r).fma(r, r).add(1f);
    IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
  }

  /**
   * 2^x for x <= 0 within 3e-7 of itself; below -126 the smallest normal number. The weights of a
   * softmax: half the instructions of {@link #exp}, which keeps its accuracy for large arguments
   * too. x = k + f with |f| <= 1/2, and the minimax polynomial of degree 5 for 2^f.
   */
  static FloatVector powerOfTwo(FloatVector x) {
    FloatVector clamped = x.max(POWER_MIN);
    FloatVector shifted = clamped.add(ROUND_MAGIC);
    FloatVector f = clamped.sub(shifted.sub(ROUND_MAGIC));
    FloatVector p = splat(0.0013276472f);
    p = p.fma(f, splat(0.009675541f));
    p = p.fma(f, splat(0.05550713f));
    p = p.fma(f, splat(0.2402212f));
    p = p.fma(f, splat(0.69314694f));
    p = p.fma(f, splat(1.0000001f));
    IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
  }

  /** x * sigmoid(x * slope). */
  static FloatVector swish(FloatVector x, float slope) {
    return x.div(exp(x.mul(-slope)).add(1f));
  }

  /**
   * x * Phi(x) by the rational approximation of erf, Abramowitz and Stegun 7.1.26: absolute error
   * of erf at most 1.5e-7, as much as one rounding to float.
   */
  static FloatVector gelu(FloatVector x) {
    FloatVector z = x.abs().mul(0.70710678f);
    FloatVector t = splat(1f).div(z.fma(splat(0.3275911f), splat(1f)));
    FloatVector p = splat(1.061405429f);
    p = p.fma(t, splat(-1.453152027f));
    p = p.fma(t, splat(1.421413741f));
    p = p.fma(t, splat(-0.284496736f));
    p = p.fma(t, splat(0.254829592f));
    // erfc of |x| / sqrt 2; Phi(x) is half of it below zero, one minus half of it above.
    FloatVector half = p.mul(t).mul(exp(z.mul(z).neg())).mul(0.5f);
    FloatVector above = splat(1f).sub(half);
    VectorMask<Float> negative = x.lt(0f);
    return x.mul(above.blend(half, negative));
  }

  static FloatVector splat(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }
}
