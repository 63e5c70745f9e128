// Guidance, the scheduler's step, noise, embeddings of timesteps, and pictures out.
#pragma once

#include "elementwise.cuh"

namespace tt {

constexpr int DEVIATION_THREADS = 512;

// Standard deviations (n - 1) of the text prediction and of the guided one, for rescaling: [samples, 2]. One block a sample.
template <typename T>
TT_DEVICE void guide_deviations(const T* unconditional, const T* text, float scale, float* deviations, int64_t per_item) {
  __shared__ float partial[DEVIATION_THREADS / WARP][2][3];
  int64_t base = (int64_t)block_x() * per_item;
  float pivot_text = to_float(text[base]);
  float pivot_guided = guide(to_float(unconditional[base]), pivot_text, scale);
  float count = 0.0f, sum_text = 0.0f, square_text = 0.0f, sum_guided = 0.0f, square_guided = 0.0f;
  for (int64_t i = thread_x(); i < per_item; i += DEVIATION_THREADS) {
    float t = to_float(text[base + i]);
    float d = t - pivot_text;
    sum_text += d;
    square_text += d * d;
    d = guide(to_float(unconditional[base + i]), t, scale) - pivot_guided;
    sum_guided += d;
    square_guided += d * d;
    count += 1.0f;
  }
  Moments of_text = warp_merge(moments_from_sums(count, pivot_text, sum_text, square_text));
  Moments of_guided = warp_merge(moments_from_sums(count, pivot_guided, sum_guided, square_guided));
  if (thread_x() % WARP == 0) {
    float(*to)[3] = partial[thread_x() / WARP];
    to[0][0] = of_text.count;
    to[0][1] = of_text.mean;
    to[0][2] = of_text.m2;
    to[1][0] = of_guided.count;
    to[1][1] = of_guided.mean;
    to[1][2] = of_guided.m2;
  }
  sync_block();
  if (thread_x() < 2) {
    int which = thread_x();
    Moments all{0.0f, 0.0f, 0.0f};
    for (int i = 0; i < DEVIATION_THREADS / WARP; i++) {
      all = merge(all, Moments{partial[i][which][0], partial[i][which][1], partial[i][which][2]});
    }
    deviations[2 * block_x() + which] = sqrtf(all.m2 / (all.count - 1.0f));
  }
}

// Guided prediction of an element of a sample; deviations may be null when nothing is rescaled.
TT_DEVICE float guided(float unconditional, float text, float scale, float rescale, const float* deviations, int sample) {
  float value = guide(unconditional, text, scale);
  if (deviations != nullptr) {
    value = guide_rescaled(value, deviations[2 * sample], deviations[2 * sample + 1], rescale);
  }
  return value;
}

// Philox normal values, [samples, per_item].
template <typename T>
TT_DEVICE void normal_noise(const int64_t* seeds, int64_t stream, T* out, int64_t samples, int64_t per_item) {
  int64_t pairs = (per_item + 1) / 2;
  for (int64_t i = global_thread(); i < samples * pairs; i += global_threads()) {
    int64_t sample = i / pairs;
    int64_t pair = i - sample * pairs;
    NormalPair values = philox_normal((uint64_t)seeds[sample], (uint64_t)stream, (uint64_t)pair);
    T* to = out + sample * per_item + 2 * pair;
    to[0] = from_float<T>(values.even);
    if (2 * pair + 1 < per_item) {
      to[1] = from_float<T>(values.odd);
    }
  }
}

}  // namespace tt

#define TT_SAMPLING(SUFFIX, T)                                                                                                                        \
  TT_KERNEL(tt_guide_deviations_##SUFFIX, 512, const T* TT_RESTRICT unconditional, const T* TT_RESTRICT text, float scale,                            \
            float* TT_RESTRICT deviations, int64_t per_item) {                                                                                        \
    tt::guide_deviations(unconditional, text, scale, deviations, per_item);                                                                           \
  }                                                                                                                                                   \
  TT_KERNEL(tt_guide_##SUFFIX, 256, const T* TT_RESTRICT unconditional, const T* TT_RESTRICT text, float scale, float rescale,                        \
            const float* TT_RESTRICT deviations, T* TT_RESTRICT out, int64_t n, int64_t per_item) {                                                   \
    for (int64_t i = tt::global_thread(); i < n; i += tt::global_threads()) {                                                                         \
      int sample = (int)(i / per_item);                                                                                                               \
      float value = tt::guided(tt::to_float(unconditional[i]), tt::to_float(text[i]), scale, rescale, deviations, sample);                            \
      out[i] = tt::from_float<T>(value);                                                                                                              \
    }                                                                                                                                                 \
  }                                                                                                                                                   \
  /* One scheduler step; with `text` the guidance is done on the way, and `model` is the unconditional prediction. */                                 \
  TT_KERNEL(tt_step_##SUFFIX, 256, const T* TT_RESTRICT latent, const T* TT_RESTRICT model, const T* TT_RESTRICT text, float scale, float rescale,    \
            const float* TT_RESTRICT deviations, const T* TT_RESTRICT history, const T* TT_RESTRICT noise, double x0_sample, double x0_model,         \
            double clip_range, double prev_x0, double prev_sample, double prev_model, double prev_history, double prev_noise,                         \
            T* TT_RESTRICT previous, T* TT_RESTRICT predicted, int64_t n, int64_t per_item) {                                                         \
    tt::StepCoefficients coefficients{x0_sample, x0_model, clip_range, prev_x0, prev_sample, prev_model, prev_history, prev_noise};                   \
    for (int64_t i = tt::global_thread(); i < n; i += tt::global_threads()) {                                                                         \
      float prediction = tt::to_float(model[i]);                                                                                                      \
      if (text != nullptr) {                                                                                                                          \
        prediction = tt::guided(prediction, tt::to_float(text[i]), scale, rescale, deviations, (int)(i / per_item));                                  \
      }                                                                                                                                               \
      float old = history != nullptr ? tt::to_float(history[i]) : 0.0f;                                                                               \
      float random = noise != nullptr ? tt::to_float(noise[i]) : 0.0f;                                                                                \
      tt::Stepped stepped = tt::scheduler_step(coefficients, tt::to_float(latent[i]), prediction, old, random);                                       \
      previous[i] = tt::from_float<T>(stepped.previous);                                                                                              \
      predicted[i] = tt::from_float<T>(stepped.predicted_original);                                                                                   \
    }                                                                                                                                                 \
  }                                                                                                                                                   \
  TT_KERNEL(tt_normal_noise_##SUFFIX, 256, const int64_t* TT_RESTRICT seeds, int64_t stream, T* TT_RESTRICT out, int64_t samples, int64_t per_item) { \
    tt::normal_noise(seeds, stream, out, samples, per_item);                                                                                          \
  }                                                                                                                                                   \
  TT_KERNEL(tt_timestep_embedding_##SUFFIX, 256, const double* TT_RESTRICT timesteps, T* TT_RESTRICT out, int64_t n, int channels, int flip,          \
            double shift) {                                                                                                                           \
    for (int64_t i = tt::global_thread(); i < n * channels; i += tt::global_threads()) {                                                              \
      out[i] = tt::from_float<T>(tt::timestep_embedding(timesteps[i / channels], (int)(i % channels), channels, flip != 0, shift));                   \
    }                                                                                                                                                 \
  }                                                                                                                                                   \
  TT_KERNEL(tt_to_rgb8_##SUFFIX, 256, const T* TT_RESTRICT x, uint8_t* TT_RESTRICT out, int64_t n) {                                                  \
    for (int64_t i = tt::global_thread(); i < n; i += tt::global_threads()) {                                                                         \
      out[i] = tt::to_byte(tt::to_float(x[i]));                                                                                                       \
    }                                                                                                                                                 \
  }
TT_FOR_EACH_TYPE(TT_SAMPLING)
