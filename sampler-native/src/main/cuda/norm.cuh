// GroupNorm (with SiLU), LayerNorm and softmax. Statistics in fp32 as moments of shifted values: the shift is one of the values themselves, so nothing cancels.
//
// GroupNorm of small pictures is one kernel; that of larger ones reads its input twice. Kernel 1 takes the moments of every (sample, chunk of pixels, group); kernel 2 merges the chunks of its sample and
// normalises. Chunks depend on the picture's size only, never on the batch, so a sample's result does not depend on its neighbours. What is normalised may be
// the input plus a bias per sample and channel, in rows of bias_stride, or null: it only moves the channels' means.
#pragma once

#include "elementwise.cuh"

namespace tt {

constexpr int NORM_THREADS = 256;

// Adds up rows [row0, row0 + rows) of columns [column0, ...) per channel, W channels a thread, and leaves the moments of each channel in `mean` and `m2`.
template <typename T, int W>
TT_DEVICE void channel_moments(const T* x, int rows, int channels, float* mean, float* m2, float* sums) {
  int vectors = channels / W;
  int across = vectors < NORM_THREADS ? vectors : NORM_THREADS;
  int down = NORM_THREADS / across;
  float* sum_squares = sums + NORM_THREADS * W;
  for (int column0 = 0; column0 < vectors; column0 += across) {
    int column = column0 + thread_x() % across;
    int y = thread_x() / across;
    if (y < down && column < vectors) {
      float shift[W], sum[W], square[W];
      TT_UNROLL
      for (int i = 0; i < W; i++) {
        shift[i] = to_float(x[column * W + i]);
        sum[i] = 0.0f;
        square[i] = 0.0f;
      }
      for (int row = y; row < rows; row += down) {
        const T* from = x + (int64_t)row * channels + column * W;
        float value[W];
        if constexpr (W == 1) {
          value[0] = to_float(from[0]);
        } else {
          Vec<T> loaded = load16(from);
          TT_UNROLL
          for (int i = 0; i < W; i++) {
            value[i] = loaded.v[i];
          }
        }
        TT_UNROLL
        for (int i = 0; i < W; i++) {
          float d = value[i] - shift[i];
          sum[i] += d;
          square[i] += d * d;
        }
      }
      TT_UNROLL
      for (int i = 0; i < W; i++) {
        sums[(y * across + thread_x() % across) * W + i] = sum[i];
        sum_squares[(y * across + thread_x() % across) * W + i] = square[i];
      }
    }
    sync_block();
    for (int i = thread_x(); i < across * W && column0 * W + i < channels; i += NORM_THREADS) {
      float sum = 0.0f;
      float square = 0.0f;
      for (int k = 0; k < down; k++) {
        sum += sums[k * across * W + i];
        square += sum_squares[k * across * W + i];
      }
      int channel = column0 * W + i;
      Moments moments = moments_from_sums((float)rows, to_float(x[channel]), sum, square);
      mean[channel] = moments.mean;
      m2[channel] = moments.m2;
    }
    sync_block();
  }
}

template <typename T>
TT_DEVICE float item_bias(const T* bias, int bias_stride, int channel) {
  return bias != nullptr ? to_float(bias[(int64_t)block_y() * bias_stride + channel]) : 0.0f;
}

// Grid (chunks, samples), NORM_THREADS threads, shared: 2 channels + 2 NORM_THREADS Vec<T>::N floats. partial: [samples, chunks, groups, 2].
template <typename T>
TT_DEVICE void group_norm_moments(const T* x, const T* bias, int bias_stride, float* partial, int pixels, int channels, int groups, int chunk_pixels) {
  TT_DYNAMIC_SHARED(float, memory);
  float* mean = memory;
  float* m2 = mean + channels;
  float* sums = m2 + channels;
  int chunk = block_x();
  int row0 = chunk * chunk_pixels;
  int rows = pixels - row0 < chunk_pixels ? pixels - row0 : chunk_pixels;
  const T* from = x + ((int64_t)block_y() * pixels + row0) * channels;
  if (channels % Vec<T>::N == 0 && aligned16(x)) {
    channel_moments<T, Vec<T>::N>(from, rows, channels, mean, m2, sums);
  } else {
    channel_moments<T, 1>(from, rows, channels, mean, m2, sums);
  }
  int per_group = channels / groups;
  int lane = thread_x() % WARP;
  for (int group = thread_x() / WARP; group < groups; group += NORM_THREADS / WARP) {
    Moments moments{0.0f, 0.0f, 0.0f};
    for (int i = lane; i < per_group; i += WARP) {
      int channel = group * per_group + i;
      moments = merge(moments, Moments{(float)rows, mean[channel] + item_bias(bias, bias_stride, channel), m2[channel]});
    }
    moments = warp_merge(moments);
    if (lane == 0) {
      float* to = partial + (((int64_t)block_y() * blocks_x() + chunk) * groups + group) * 2;
      to[0] = moments.mean;
      to[1] = moments.m2;
    }
  }
}

// Grid (blocks of block_pixels, samples), NORM_THREADS threads, shared: 3 channels floats.
template <typename T>
TT_DEVICE void group_norm_apply(const T* x, const T* bias, int bias_stride, T* out, const float* partial, const float* scale, const float* shift, int pixels,
                                int channels, int groups, int chunks, int chunk_pixels, int block_pixels, float epsilon, int activation) {
  TT_DYNAMIC_SHARED(float, memory);
  float* mean = memory;
  float* multiplier = mean + channels;
  float* offset = multiplier + channels;
  int per_group = channels / groups;
  int lane = thread_x() % WARP;
  for (int group = thread_x() / WARP; group < groups; group += NORM_THREADS / WARP) {
    Moments moments{0.0f, 0.0f, 0.0f};
    for (int chunk = lane; chunk < chunks; chunk += WARP) {
      const float* from = partial + (((int64_t)block_y() * chunks + chunk) * groups + group) * 2;
      int rows = pixels - chunk * chunk_pixels;
      rows = rows < chunk_pixels ? rows : chunk_pixels;
      moments = merge(moments, Moments{(float)rows * (float)per_group, from[0], from[1]});
    }
    moments = warp_merge(moments);
    float inverse = inverse_deviation(moments.m2 / moments.count, epsilon);
    for (int i = lane; i < per_group; i += WARP) {
      int channel = group * per_group + i;
      mean[channel] = moments.mean - item_bias(bias, bias_stride, channel);
      multiplier[channel] = inverse * scale[channel];
      offset[channel] = shift[channel];
    }
  }
  sync_block();
  int row0 = block_x() * block_pixels;
  int rows = pixels - row0 < block_pixels ? pixels - row0 : block_pixels;
  int64_t base = ((int64_t)block_y() * pixels + row0) * channels;
  constexpr int N = Vec<T>::N;
  if (channels % N == 0 && aligned16(x) && aligned16(out)) {
    int vectors = channels / N;
    for (int i = thread_x(); i < rows * vectors; i += NORM_THREADS) {
      int channel = i % vectors * N;
      Vec<T> value = load16(x + base + (int64_t)i * N);
      TT_UNROLL
      for (int j = 0; j < N; j++) {
        float y = normalize(value.v[j], mean[channel + j], multiplier[channel + j], offset[channel + j]);
        value.v[j] = activate(y, activation);
      }
      store16(out + base + (int64_t)i * N, value);
    }
  } else {
    for (int i = thread_x(); i < rows * channels; i += NORM_THREADS) {
      int channel = i % channels;
      float y = normalize(to_float(x[base + i]), mean[channel], multiplier[channel], offset[channel]);
      out[base + i] = from_float<T>(activate(y, activation));
    }
  }
}

// 4 bytes as they are: one fp32 value or two of 16 bits.
template <typename T>
TT_DEVICE uint32_t load_word(const T* from) {
#if defined(__CUDA_ARCH__)
  return *reinterpret_cast<const uint32_t*>(from);
#else
  uint32_t word;
  memcpy(&word, from, 4);
  return word;
#endif
}

template <typename T>
TT_DEVICE void store_word(T* to, uint32_t word) {
#if defined(__CUDA_ARCH__)
  *reinterpret_cast<uint32_t*>(to) = word;
#else
  memcpy(to, &word, 4);
#endif
}

template <typename T>
TT_DEVICE T word_part(uint32_t word, int part) {
  if constexpr (sizeof(T) == 4) {
    return bits_float(word);
  } else {
    return T{(uint16_t)(word >> (16 * part))};
  }
}

// All of GroupNorm in one kernel where the values of a group fit into shared memory: read once, one block a group and sample. Grid (groups, samples), up to
// 1024 threads, shared: pixels * channels / groups values. A group must be a multiple of 4 bytes wide. Each thread keeps what it read where only it looks.
template <typename T>
TT_DEVICE void group_norm_small(const T* x, const T* bias, int bias_stride, T* out, const float* scale, const float* shift, int pixels, int channels, int groups,
                                float epsilon, int activation) {
  TT_DYNAMIC_SHARED(uint32_t, words);
  __shared__ Moments states[1024 / WARP];
  constexpr int N = 4 / (int)sizeof(T);
  int per_group = channels / groups;
  int across = per_group / N;
  int channel0 = block_x() * per_group;
  int64_t base = (int64_t)block_y() * pixels * channels + channel0;
  float pivot = to_float(x[base]) + item_bias(bias, bias_stride, channel0);
  float sum = 0.0f;
  float square = 0.0f;
  float count = 0.0f;
  for (int i = thread_x(); i < pixels * across; i += threads_x()) {
    uint32_t word = load_word(x + base + (int64_t)(i / across) * channels + i % across * N);
    words[i] = word;
    TT_UNROLL
    for (int j = 0; j < N; j++) {
      float d = to_float(word_part<T>(word, j)) + item_bias(bias, bias_stride, channel0 + i % across * N + j) - pivot;
      sum += d;
      square += d * d;
    }
    count += N;
  }
  Moments moments = warp_merge(moments_from_sums(count, pivot, sum, square));
  if (thread_x() % WARP == 0) {
    states[thread_x() / WARP] = moments;
  }
  sync_block();
  moments = states[0];
  for (int i = 1; i < threads_x() / WARP; i++) {
    moments = merge(moments, states[i]);
  }
  float inverse = inverse_deviation(moments.m2 / moments.count, epsilon);
  for (int i = thread_x(); i < pixels * across; i += threads_x()) {
    int channel = channel0 + i % across * N;
    float y[N];
    TT_UNROLL
    for (int j = 0; j < N; j++) {
      float mean = moments.mean - item_bias(bias, bias_stride, channel + j);
      float value = normalize(to_float(word_part<T>(words[i], j)), mean, inverse * scale[channel + j], shift[channel + j]);
      y[j] = activate(value, activation);
    }
    uint32_t word;
    if constexpr (N == 1) {
      word = float_bits(y[0]);
    } else {
      word = pack2<T>(y[0], y[1]);
    }
    store_word(out + base + (int64_t)(i / across) * channels + i % across * N, word);
  }
}

// One warp a row; the second pass over the row comes from the cache.
template <typename T>
TT_DEVICE void layer_norm(const T* x, T* out, const float* scale, const float* shift, int64_t rows, int columns, float epsilon) {
  constexpr int N = Vec<T>::N;
  int lane = thread_x() % WARP;
  int warps = threads_x() / WARP;
  bool vectors = columns % N == 0 && aligned16(x) && aligned16(out);
  for (int64_t row = (int64_t)block_x() * warps + thread_x() / WARP; row < rows; row += (int64_t)blocks_x() * warps) {
    const T* from = x + row * columns;
    float pivot = to_float(from[0]);
    float sum = 0.0f;
    float square = 0.0f;
    float count = 0.0f;
    if (vectors) {
      for (int i = lane * N; i < columns; i += WARP * N) {
        Vec<T> value = load16(from + i);
        TT_UNROLL
        for (int j = 0; j < N; j++) {
          float d = value.v[j] - pivot;
          sum += d;
          square += d * d;
        }
        count += N;
      }
    } else {
      for (int i = lane; i < columns; i += WARP) {
        float d = to_float(from[i]) - pivot;
        sum += d;
        square += d * d;
        count += 1.0f;
      }
    }
    Moments moments = warp_merge(moments_from_sums(count, pivot, sum, square));
    float inverse = inverse_deviation(moments.m2 / moments.count, epsilon);
    T* to = out + row * columns;
    if (vectors) {
      for (int i = lane * N; i < columns; i += WARP * N) {
        Vec<T> value = load16(from + i);
        TT_UNROLL
        for (int j = 0; j < N; j++) {
          value.v[j] = normalize(value.v[j], moments.mean, inverse * scale[i + j], shift[i + j]);
        }
        store16(to + i, value);
      }
    } else {
      for (int i = lane; i < columns; i += WARP) {
        to[i] = from_float<T>(normalize(to_float(from[i]), moments.mean, inverse * scale[i], shift[i]));
      }
    }
  }
}

// softmax(scale * x) of fp32 rows, rounded to T; causal: row r of each `queries` rows sees columns 0..r only. One block of NORM_THREADS a row.
template <typename T>
TT_DEVICE void softmax_rows(const float* x, T* out, int columns, float scale, int queries, int first_query, int causal) {
  __shared__ SoftmaxState states[NORM_THREADS / WARP];
  int64_t row = block_x();
  const float* from = x + row * columns;
  int query = first_query + (int)(row % queries);
  int visible = causal != 0 && query + 1 < columns ? query + 1 : columns;
  SoftmaxState state = softmax_empty();
  for (int i = thread_x(); i < visible; i += NORM_THREADS) {
    state = merge(state, SoftmaxState{from[i] * scale, 1.0f});
  }
  TT_UNROLL
  for (int mask = WARP / 2; mask > 0; mask /= 2) {
    SoftmaxState other;
    other.maximum = shuffle_xor(state.maximum, mask);
    other.sum = shuffle_xor(state.sum, mask);
    state = merge(state, other);
  }
  if (thread_x() % WARP == 0) {
    states[thread_x() / WARP] = state;
  }
  sync_block();
  state = states[0];
  for (int i = 1; i < NORM_THREADS / WARP; i++) {
    state = merge(state, states[i]);
  }
  float inverse = 1.0f / state.sum;
  for (int i = thread_x(); i < columns; i += NORM_THREADS) {
    float weight = i < visible ? softmax_weight(from[i] * scale, state.maximum) * inverse : 0.0f;
    out[row * columns + i] = from_float<T>(weight);
  }
}

}  // namespace tt

#define TT_NORM(SUFFIX, T)                                                                                                                                  \
  TT_KERNEL(tt_group_norm_moments_##SUFFIX, 256, const T* TT_RESTRICT x, const T* TT_RESTRICT bias, int bias_stride, float* TT_RESTRICT partial,            \
            int pixels, int channels, int groups, int chunk_pixels) {                                                                                       \
    tt::group_norm_moments(x, bias, bias_stride, partial, pixels, channels, groups, chunk_pixels);                                                          \
  }                                                                                                                                                         \
  TT_KERNEL(tt_group_norm_apply_##SUFFIX, 256, const T* TT_RESTRICT x, const T* TT_RESTRICT bias, int bias_stride, T* TT_RESTRICT out,                      \
            const float* TT_RESTRICT partial, const float* TT_RESTRICT scale, const float* TT_RESTRICT shift, int pixels, int channels, int groups,         \
            int chunks, int chunk_pixels, int block_pixels, float epsilon, int activation) {                                                                \
    tt::group_norm_apply(x, bias, bias_stride, out, partial, scale, shift, pixels, channels, groups, chunks, chunk_pixels, block_pixels, epsilon,           \
                         activation);                                                                                                                       \
  }                                                                                                                                                         \
  TT_KERNEL(tt_group_norm_small_##SUFFIX, 1024, const T* TT_RESTRICT x, const T* TT_RESTRICT bias, int bias_stride, T* TT_RESTRICT out,                     \
            const float* TT_RESTRICT scale, const float* TT_RESTRICT shift, int pixels, int channels, int groups, float epsilon, int activation) {          \
    tt::group_norm_small(x, bias, bias_stride, out, scale, shift, pixels, channels, groups, epsilon, activation);                                           \
  }                                                                                                                                                         \
  TT_KERNEL(tt_layer_norm_##SUFFIX, 256, const T* TT_RESTRICT x, T* TT_RESTRICT out, const float* TT_RESTRICT scale, const float* TT_RESTRICT shift,        \
            int64_t rows, int columns, float epsilon) {                                                                                                     \
    tt::layer_norm(x, out, scale, shift, rows, columns, epsilon);                                                                                           \
  }                                                                                                                                                         \
  TT_KERNEL(tt_softmax_##SUFFIX, 256, const float* TT_RESTRICT x, T* TT_RESTRICT out, int columns, float scale, int queries, int first_query, int causal) { \
    tt::softmax_rows(x, out, columns, scale, queries, first_query, causal);                                                                                 \
  }
TT_FOR_EACH_TYPE(TT_NORM)
