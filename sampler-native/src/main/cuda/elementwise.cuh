// Kernels that read each value once and write each value once: bound by memory, so 16 bytes per thread and access where addresses allow it.
#pragma once

#include "platform.cuh"

namespace tt {

constexpr int ELEMENTWISE_THREADS = 256;

TT_DEVICE bool aligned16(const void* a) { return ((uintptr_t)a & 15u) == 0; }

TT_DEVICE int64_t global_thread() { return (int64_t)block_x() * threads_x() + thread_x(); }
TT_DEVICE int64_t global_threads() { return (int64_t)blocks_x() * threads_x(); }

// out[i] = f(x[i], i) for all i < n.
template <typename T, typename F>
TT_DEVICE void map_elements(const T* x, T* out, int64_t n, F f) {
  constexpr int N = Vec<T>::N;
  int64_t vectors = aligned16(x) && aligned16(out) ? n / N : 0;
  for (int64_t i = global_thread(); i < vectors; i += global_threads()) {
    Vec<T> value = load16(x + i * N);
    TT_UNROLL
    for (int j = 0; j < N; j++) {
      value.v[j] = f(value.v[j], i * N + j);
    }
    store16(out + i * N, value);
  }
  for (int64_t i = vectors * N + global_thread(); i < n; i += global_threads()) {
    out[i] = from_float<T>(f(to_float(x[i]), i));
  }
}

// out[i] = f(x[i], y[i]) for all i < n.
template <typename T, typename F>
TT_DEVICE void map_pairs(const T* x, const T* y, T* out, int64_t n, F f) {
  constexpr int N = Vec<T>::N;
  int64_t vectors = aligned16(x) && aligned16(y) && aligned16(out) ? n / N : 0;
  for (int64_t i = global_thread(); i < vectors; i += global_threads()) {
    Vec<T> value = load16(x + i * N);
    Vec<T> other = load16(y + i * N);
    TT_UNROLL
    for (int j = 0; j < N; j++) {
      value.v[j] = f(value.v[j], other.v[j]);
    }
    store16(out + i * N, value);
  }
  for (int64_t i = vectors * N + global_thread(); i < n; i += global_threads()) {
    out[i] = from_float<T>(f(to_float(x[i]), to_float(y[i])));
  }
}

// [rows, 2 columns] to [rows, columns]: first half times gelu(second half).
template <typename T>
TT_DEVICE void geglu_rows(const T* x, T* out, int64_t rows, int columns) {
  constexpr int N = Vec<T>::N;
  if (columns % N == 0 && aligned16(x) && aligned16(out)) {
    int per_row = columns / N;
    for (int64_t i = global_thread(); i < rows * per_row; i += global_threads()) {
      int64_t row = i / per_row;
      const T* from = x + row * 2 * columns + (i - row * per_row) * N;
      Vec<T> value = load16(from);
      Vec<T> gate = load16(from + columns);
      TT_UNROLL
      for (int j = 0; j < N; j++) {
        value.v[j] = geglu(value.v[j], gate.v[j]);
      }
      store16(out + i * N, value);
    }
  } else {
    for (int64_t i = global_thread(); i < rows * columns; i += global_threads()) {
      int64_t row = i / columns;
      const T* from = x + row * 2 * columns + (i - row * columns);
      out[i] = from_float<T>(geglu(to_float(from[0]), to_float(from[columns])));
    }
  }
}

// In place: the epilogue of a convolution or linear layer, as far as no library fused it. Absent parts are null.
template <typename T>
TT_DEVICE void epilogue_rows(T* x, const T* bias, const T* residual, int64_t n, int channels, int activation, float scale) {
  constexpr int N = Vec<T>::N;
  if (channels % N == 0 && aligned16(x) && aligned16(bias) && aligned16(residual)) {
    for (int64_t i = global_thread() * N; i < n; i += global_threads() * N) {
      Vec<T> value = load16(x + i);
      Vec<T> none;
      TT_UNROLL
      for (int j = 0; j < N; j++) {
        none.v[j] = 0.0f;
      }
      Vec<T> b = bias != nullptr ? load16(bias + i % channels) : none;
      Vec<T> r = residual != nullptr ? load16(residual + i) : none;
      TT_UNROLL
      for (int j = 0; j < N; j++) {
        value.v[j] = epilogue(value.v[j], b.v[j], activation, scale, r.v[j]);
      }
      store16(x + i, value);
    }
  } else {
    for (int64_t i = global_thread(); i < n; i += global_threads()) {
      float b = bias != nullptr ? to_float(bias[i % channels]) : 0.0f;
      float r = residual != nullptr ? to_float(residual[i]) : 0.0f;
      x[i] = from_float<T>(epilogue(to_float(x[i]), b, activation, scale, r));
    }
  }
}

// The first `channels` of rows of `wide` values, a multiple of 16 bytes, with the epilogue of a convolution. A thread reads 16 bytes.
template <typename T>
TT_DEVICE void narrow_rows(const T* from, T* out, const T* bias, const T* residual, int64_t rows, int wide, int channels, int activation, float scale) {
  constexpr int N = Vec<T>::N;
  int chunks = wide / N;
  for (int64_t i = global_thread(); i < rows * chunks; i += global_threads()) {
    int64_t row = i / chunks;
    int channel0 = (int)(i - row * chunks) * N;
    Vec<T> value = load16(from + i * N);
    TT_UNROLL
    for (int j = 0; j < N; j++) {
      int channel = channel0 + j;
      if (channel < channels) {
        float b = bias != nullptr ? to_float(bias[channel]) : 0.0f;
        float r = residual != nullptr ? to_float(residual[row * channels + channel]) : 0.0f;
        out[row * channels + channel] = from_float<T>(epilogue(value.v[j], b, activation, scale, r));
      }
    }
  }
}

}  // namespace tt

#define TT_ELEMENTWISE(SUFFIX, T)                                                                                                                     \
  TT_KERNEL(tt_activate_##SUFFIX, 256, const T* TT_RESTRICT x, T* TT_RESTRICT out, int64_t n, int activation) {                                       \
    tt::map_elements(x, out, n, [=](float value, int64_t) { return tt::activate(value, activation); });                                               \
  }                                                                                                                                                   \
  TT_KERNEL(tt_scale_##SUFFIX, 256, const T* TT_RESTRICT x, T* TT_RESTRICT out, int64_t n, float factor) {                                            \
    tt::map_elements(x, out, n, [=](float value, int64_t) { return value * factor; });                                                                \
  }                                                                                                                                                   \
  TT_KERNEL(tt_clamp_##SUFFIX, 256, const T* TT_RESTRICT x, T* TT_RESTRICT out, int64_t n, float low, float high) {                                   \
    tt::map_elements(x, out, n, [=](float value, int64_t) { return tt::clamp(value, low, high); });                                                   \
  }                                                                                                                                                   \
  TT_KERNEL(tt_combine_##SUFFIX, 256, const T* TT_RESTRICT x, const T* TT_RESTRICT y, T* TT_RESTRICT out, int64_t n, float a, float b) {              \
    tt::map_pairs(x, y, out, n, [=](float p, float q) { return a * p + b * q; });                                                                     \
  }                                                                                                                                                   \
  TT_KERNEL(tt_geglu_##SUFFIX, 256, const T* TT_RESTRICT x, T* TT_RESTRICT out, int64_t rows, int columns) { tt::geglu_rows(x, out, rows, columns); } \
  TT_KERNEL(tt_epilogue_##SUFFIX, 256, T* x, const T* TT_RESTRICT bias, const T* residual, int64_t n, int channels, int activation, float scale) {    \
    tt::epilogue_rows(x, bias, residual, n, channels, activation, scale);                                                                             \
  }
TT_FOR_EACH_TYPE(TT_ELEMENTWISE)
#define TT_NARROW(SUFFIX, T)                                                                                                                       \
  TT_KERNEL(tt_narrow_rows_##SUFFIX, 256, const T* TT_RESTRICT from, T* TT_RESTRICT out, const T* TT_RESTRICT bias, const T* TT_RESTRICT residual, \
            int64_t rows, int wide, int channels, int activation, float scale) {                                                                   \
    tt::narrow_rows(from, out, bias, residual, rows, wide, channels, activation, scale);                                                           \
  }
TT_NARROW(f16, tt::half_t)
TT_NARROW(bf16, tt::bf16_t)
