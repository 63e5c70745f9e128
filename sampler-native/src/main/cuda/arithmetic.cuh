// The arithmetic of every kernel, without threads, memory or launch: pure functions for the host and the device. A host test compiles this file with g++
// and checks each function against float64. Formulas are diffusers' unless said otherwise.
#pragma once

#include "types.cuh"

namespace tt {

// ---- pointwise functions; the numbers are the ordinals of dev.tintype.sampler.ops.Activation

enum Activation { NONE = 0, SILU = 1, GELU = 2, QUICK_GELU = 3, RELU = 4, LEAKY_RELU_02 = 5 };

// 1 / (1 + e^-x), finite for every finite x: e^-x overflows to infinity below -88 and the quotient is 0 then.
TT_BOTH float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

TT_BOTH float silu(float x) { return x * sigmoid(x); }

// x Phi(x) with the exact error function. erfc keeps the relative precision of the left tail, where 1 + erf would cancel.
TT_BOTH float gelu(float x) { return 0.5f * x * erfcf(-0.70710678118654752f * x); }

TT_BOTH float quick_gelu(float x) { return x * sigmoid(1.702f * x); }

TT_BOTH float activate(float x, int activation) {
  switch (activation) {
    case SILU:
      // -inf * 0 would be NaN.
      return x < -1e4f ? -0.0f : silu(x);
    case GELU:
      return x < -1e4f ? -0.0f : gelu(x);
    case QUICK_GELU:
      return x < -1e4f ? -0.0f : quick_gelu(x);
    case RELU:
      return x < 0.0f ? 0.0f : x;
    case LEAKY_RELU_02:
      return x < 0.0f ? 0.2f * x : x;
    default:
      return x;
  }
}

// GEGLU of a first half and a second (diffusers).
TT_BOTH float geglu(float value, float gate) { return value * activate(gate, GELU); }

TT_BOTH float clamp(float x, float low, float high) { return x < low ? low : (x > high ? high : x); }

// What a convolution or linear layer does to a result before it is written, in this order.
TT_BOTH float epilogue(float x, float bias, int activation, float scale, float residual) {
  return activate(x + bias, activation) * scale + residual;
}

// ---- moments: count, mean, sum of squared distances from the mean

struct Moments {
  float count;
  float mean;
  float m2;
};

// Chan, Golub, LeVeque 1979: the moments of two disjoint sets together.
TT_BOTH Moments merge(Moments a, Moments b) {
  float count = a.count + b.count;
  if (count == 0.0f) {
    return a;
  }
  float delta = b.mean - a.mean;
  float share = b.count / count;
  Moments result;
  result.count = count;
  result.mean = a.mean + delta * share;
  result.m2 = a.m2 + b.m2 + delta * delta * a.count * share;
  return result;
}

// From sums of (x - shift) and (x - shift)^2. With the shift near the data nothing cancels, unlike with shift 0.
TT_BOTH Moments moments_from_sums(float count, float shift, float sum, float sum_squares) {
  Moments result;
  result.count = count;
  float mean = count > 0.0f ? sum / count : 0.0f;
  result.mean = shift + mean;
  float m2 = sum_squares - sum * mean;
  result.m2 = m2 > 0.0f ? m2 : 0.0f;
  return result;
}

TT_BOTH float inverse_deviation(float variance, float epsilon) { return 1.0f / sqrtf(variance + epsilon); }

// Subtracting the mean first keeps precision when it is large against the deviation.
TT_BOTH float normalize(float x, float mean, float inverse_deviation_times_scale, float shift) {
  return (x - mean) * inverse_deviation_times_scale + shift;
}

// ---- online softmax (Milakov and Gimelshein 2018): the running maximum, and the sum of e^(x - maximum)

struct SoftmaxState {
  float maximum;
  float sum;
};

TT_BOTH SoftmaxState softmax_empty() { return SoftmaxState{-INFINITY, 0.0f}; }

// e^(x - maximum), 0 for a masked x even while nothing but masked values was seen (maximum = -inf).
TT_BOTH float softmax_weight(float x, float maximum) { return x == -INFINITY ? 0.0f : expf(x - maximum); }

TT_BOTH SoftmaxState merge(SoftmaxState a, SoftmaxState b) {
  SoftmaxState result;
  result.maximum = a.maximum > b.maximum ? a.maximum : b.maximum;
  result.sum = a.sum * softmax_weight(a.maximum, result.maximum) + b.sum * softmax_weight(b.maximum, result.maximum);
  return result;
}

// ---- sampling

// Classifier-free guidance.
TT_BOTH float guide(float unconditional, float text, float scale) { return unconditional + scale * (text - unconditional); }

// Lin et al. 2023, section 3.4: the guided value brought to the deviation of `text`, blended by `rescale`.
TT_BOTH float guide_rescaled(float guided, float deviation_text, float deviation_guided, float rescale) {
  float rescaled = guided * (deviation_text / deviation_guided);
  return rescale * rescaled + (1.0f - rescale) * guided;
}

// Field for field dev.tintype.sampler.ops.StepCoefficients.
struct StepCoefficients {
  double x0_sample;
  double x0_model;
  double clip_range;
  double prev_x0;
  double prev_sample;
  double prev_model;
  double prev_history;
  double prev_noise;
};

struct Stepped {
  float previous;
  float predicted_original;
};

// In double: the kernel moves bytes, so it costs nothing, and long chains of steps lose nothing. History and noise that a step does not use may be NaN.
TT_BOTH Stepped scheduler_step(const StepCoefficients& c, float sample, float model, float history, float noise) {
  double x0 = c.x0_sample * sample + c.x0_model * model;
  x0 = x0 < -c.clip_range ? -c.clip_range : (x0 > c.clip_range ? c.clip_range : x0);
  double previous = c.prev_x0 * x0 + c.prev_sample * sample + c.prev_model * model;
  if (c.prev_history != 0.0) {
    previous += c.prev_history * history;
  }
  if (c.prev_noise != 0.0) {
    previous += c.prev_noise * noise;
  }
  Stepped result;
  result.previous = (float)previous;
  result.predicted_original = (float)x0;
  return result;
}

// Column `channel` of the sinusoidal embedding: sines in the first half and cosines in the second, or the other way round when flipped; an odd last
// column is zero. Frequency and phase are rounded to fp32 where diffusers rounds them: at timestep 999 one unit in the last place of a frequency moves the
// sine by 6e-5, so a more exact table would be a different one.
TT_BOTH float timestep_embedding(double timestep, int channel, int channels, bool flip_sin_to_cos, double downscale_freq_shift) {
  int half = channels / 2;
  if (channel >= 2 * half) {
    return 0.0f;
  }
  int j = channel < half ? channel : channel - half;
  float exponent = -9.210340371976182736f * (float)j;
  float frequency = (float)exp((double)(exponent / (float)(half - downscale_freq_shift)));
  float phase = (float)timestep * frequency;
  bool sine = (channel < half) != flip_sin_to_cos;
  return (float)(sine ? sin((double)phase) : cos((double)phase));
}

// ---- pictures

// [-1, 1] to a byte as diffusers does: (x / 2 + 0.5) clamped, times 255, rounded half to even. NaN gives 0.
TT_BOTH uint8_t to_byte(float x) {
  float unit = x * 0.5f + 0.5f;
  unit = unit > 0.0f ? (unit < 1.0f ? unit : 1.0f) : 0.0f;
  return (uint8_t)rintf(unit * 255.0f);
}

}  // namespace tt
