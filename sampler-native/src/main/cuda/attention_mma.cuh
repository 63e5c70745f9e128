// Attention on the tensor cores for fp16 and bf16, after FlashAttention-2 (Dao 2023): mma.m16n8k16, scores and sums in registers, keys and values double
// buffered in shared memory. Head dimensions are padded with zeros to one of 48, 64, 80, 160 (SD1.5 has 40, 80, 160; SD2 and SDXL 64) and must be a multiple of 8.
#pragma once

#include "attention.cuh"

namespace tt {

constexpr int MMA_QUERIES = 64;  // 16 per warp
constexpr int MMA_THREADS = 128;
constexpr int MMA_PAD = 8;  // 16 bytes a row more: eight rows of a matrix then lie in different banks

template <typename T, int DIM, int KEYS>
TT_DEVICE void load_tile(T* tile, const T* from, int stride, int key0, const AttentionShape& s) {
  constexpr int PARTS = DIM / 8;
  for (int i = thread_x(); i < KEYS * PARTS; i += MMA_THREADS) {
    int row = i / PARTS;
    int d = i % PARTS * 8;
    bool valid = key0 + row < s.keys && d < s.dim;
    const T* source = valid ? from + (int64_t)(key0 + row) * stride + d : from;
    copy16_async(tile + row * (DIM + MMA_PAD) + d, source, valid);
  }
}

template <typename T>
TT_DEVICE uint32_t load_pair(const T* from, bool valid) {
#if defined(__CUDA_ARCH__)
  return valid ? *reinterpret_cast<const uint32_t*>(from) : 0u;
#else
  uint32_t pair = 0;
  if (valid) {
    memcpy(&pair, from, 4);
  }
  return pair;
#endif
}

template <typename T>
TT_DEVICE void store_pair(T* to, float low, float high) {
  uint32_t pair = pack2<T>(low, high);
#if defined(__CUDA_ARCH__)
  *reinterpret_cast<uint32_t*>(to) = pair;
#else
  memcpy(to, &pair, 4);
#endif
}

// Grid (tiles of 64 queries, heads, n), shared: 4 KEYS (DIM + MMA_PAD) elements.
template <typename T, int DIM, int KEYS>
TT_DEVICE void attention_mma(const T* q, const T* k, const T* v, T* out, const AttentionShape& s) {
  constexpr int PITCH = DIM + MMA_PAD;
  constexpr int STEPS = DIM / 16;       // of the head dimension, in q k^T
  constexpr int SCORE_TILES = KEYS / 8;  // 16 x 8 tiles of scores a warp holds
  constexpr int OUT_TILES = DIM / 8;
  TT_DYNAMIC_SHARED(T, memory);
  // Two stages of keys, then values. Addresses are computed, since an array of pointers with a run-time index would live in local memory.
  constexpr int STAGE = 2 * KEYS * PITCH;

  int lane = thread_x() % WARP;
  int group = lane / 4;      // row of a fragment
  int pair = lane % 4 * 2;   // first of two columns of a fragment
  int query_low = block_x() * MMA_QUERIES + thread_x() / WARP * 16 + group;
  int query_high = query_low + 8;
  int64_t head = (int64_t)block_y() * s.dim;
  const T* q_item = q + (int64_t)block_z() * s.queries * s.q_stride + head;
  const T* k_item = k + (int64_t)block_z() * s.keys * s.k_stride + head;
  const T* v_item = v + (int64_t)block_z() * s.keys * s.v_stride + head;

  uint32_t query[STEPS][4];
  TT_UNROLL
  for (int step = 0; step < STEPS; step++) {
    int d = step * 16 + pair;
    const T* low = q_item + (int64_t)query_low * s.q_stride + d;
    const T* high = q_item + (int64_t)query_high * s.q_stride + d;
    query[step][0] = load_pair(low, query_low < s.queries && d < s.dim);
    query[step][1] = load_pair(high, query_high < s.queries && d < s.dim);
    query[step][2] = load_pair(low + 8, query_low < s.queries && d + 8 < s.dim);
    query[step][3] = load_pair(high + 8, query_high < s.queries && d + 8 < s.dim);
  }

  float result[OUT_TILES][4];
  TT_UNROLL
  for (int tile = 0; tile < OUT_TILES; tile++) {
    TT_UNROLL
    for (int i = 0; i < 4; i++) {
      result[tile][i] = 0.0f;
    }
  }
  float maximum[2] = {-INFINITY, -INFINITY};
  float total[2] = {0.0f, 0.0f};
  // In powers of two: one multiplication less per score.
  float scale = s.scale * 1.4426950408889634f;

  int block_last = block_x() * MMA_QUERIES + MMA_QUERIES;
  int visible = s.causal != 0 && block_last < s.keys ? block_last : s.keys;
  int tiles = (visible + KEYS - 1) / KEYS;
  load_tile<T, DIM, KEYS>(memory, k_item, s.k_stride, 0, s);
  load_tile<T, DIM, KEYS>(memory + STAGE / 2, v_item, s.v_stride, 0, s);
  commit_copies();
  for (int tile = 0; tile < tiles; tile++) {
    int key0 = tile * KEYS;
    if (tile + 1 < tiles) {
      T* next = memory + ((tile + 1) & 1) * STAGE;
      load_tile<T, DIM, KEYS>(next, k_item, s.k_stride, key0 + KEYS, s);
      load_tile<T, DIM, KEYS>(next + STAGE / 2, v_item, s.v_stride, key0 + KEYS, s);
      commit_copies();
      wait_copies<1>();
    } else {
      wait_copies<0>();
    }
    sync_block();
    const T* key_tile = memory + (tile & 1) * STAGE;
    const T* value_tile = key_tile + STAGE / 2;

    float score[SCORE_TILES][4];
    TT_UNROLL
    for (int j = 0; j < SCORE_TILES; j += 2) {
      TT_UNROLL
      for (int i = 0; i < 4; i++) {
        score[j][i] = 0.0f;
        score[j + 1][i] = 0.0f;
      }
      TT_UNROLL
      for (int step = 0; step < STEPS; step++) {
        // Two tiles of eight keys, both halves of sixteen dimensions.
        uint32_t b[4];
        load_matrices(b, key_tile + (j * 8 + lane / 16 * 8 + lane % 8) * PITCH + step * 16 + lane / 8 % 2 * 8);
        multiply_accumulate<T>(score[j], query[step], b[0], b[1]);
        multiply_accumulate<T>(score[j + 1], query[step], b[2], b[3]);
      }
    }

    float tile_maximum[2] = {maximum[0], maximum[1]};
    bool masked = key0 + KEYS > s.keys || s.causal != 0;
    TT_UNROLL
    for (int j = 0; j < SCORE_TILES; j++) {
      TT_UNROLL
      for (int i = 0; i < 4; i++) {
        float value = score[j][i] * scale;
        if (masked) {
          int key = key0 + j * 8 + pair + i % 2;
          int row = i < 2 ? query_low : query_high;
          value = key < s.keys && (s.causal == 0 || key <= row) ? value : -INFINITY;
        }
        score[j][i] = value;
        tile_maximum[i / 2] = value > tile_maximum[i / 2] ? value : tile_maximum[i / 2];
      }
    }
    float correction[2];
    TT_UNROLL
    for (int half = 0; half < 2; half++) {
      TT_UNROLL
      for (int mask = 2; mask > 0; mask /= 2) {
        float other = shuffle_xor(tile_maximum[half], mask);
        tile_maximum[half] = other > tile_maximum[half] ? other : tile_maximum[half];
      }
      // -inf while every key so far was masked: then all weights are 0 against 0.
      float safe = tile_maximum[half] == -INFINITY ? 0.0f : tile_maximum[half];
      correction[half] = exp2f(maximum[half] - safe);
      maximum[half] = tile_maximum[half];
      tile_maximum[half] = safe;
      total[half] *= correction[half];
    }
    TT_UNROLL
    for (int j = 0; j < SCORE_TILES; j++) {
      TT_UNROLL
      for (int i = 0; i < 4; i++) {
        score[j][i] = exp2f(score[j][i] - tile_maximum[i / 2]);
        total[i / 2] += score[j][i];
      }
    }
    TT_UNROLL
    for (int j = 0; j < OUT_TILES; j++) {
      TT_UNROLL
      for (int i = 0; i < 4; i++) {
        result[j][i] *= correction[i / 2];
      }
    }
    TT_UNROLL
    for (int step = 0; step < KEYS / 16; step++) {
      // The scores' accumulator layout is the layout of the left operand, two tiles side by side.
      uint32_t a[4] = {pack2<T>(score[2 * step][0], score[2 * step][1]), pack2<T>(score[2 * step][2], score[2 * step][3]),
                       pack2<T>(score[2 * step + 1][0], score[2 * step + 1][1]), pack2<T>(score[2 * step + 1][2], score[2 * step + 1][3])};
      TT_UNROLL
      for (int j = 0; j < OUT_TILES; j += 2) {
        // Sixteen keys, two tiles of eight dimensions.
        uint32_t b[4];
        load_matrices_transposed(b, value_tile + (step * 16 + lane / 8 % 2 * 8 + lane % 8) * PITCH + j * 8 + lane / 16 * 8);
        multiply_accumulate<T>(result[j], a, b[0], b[1]);
        multiply_accumulate<T>(result[j + 1], a, b[2], b[3]);
      }
    }
    sync_block();
  }

  TT_UNROLL
  for (int half = 0; half < 2; half++) {
    TT_UNROLL
    for (int mask = 2; mask > 0; mask /= 2) {
      total[half] += shuffle_xor(total[half], mask);
    }
    total[half] = 1.0f / total[half];
  }
  T* low = out + ((int64_t)block_z() * s.queries + query_low) * s.out_stride + head;
  T* high = out + ((int64_t)block_z() * s.queries + query_high) * s.out_stride + head;
  TT_UNROLL
  for (int j = 0; j < OUT_TILES; j++) {
    int d = j * 8 + pair;
    if (d < s.dim) {
      if (query_low < s.queries) {
        store_pair(low + d, result[j][0] * total[0], result[j][1] * total[0]);
      }
      if (query_high < s.queries) {
        store_pair(high + d, result[j][2] * total[1], result[j][3] * total[1]);
      }
    }
  }
}

}  // namespace tt

#define TT_ATTENTION_MMA_DIM(SUFFIX, T, DIM, KEYS)                                          \
  TT_KERNEL(tt_attention_mma_##DIM##_##SUFFIX, 128, TT_ATTENTION_PARAMETERS(T)) {            \
    tt::attention_mma<T, DIM, KEYS>(q, k, v, out, TT_ATTENTION_SHAPE);                      \
  }
#define TT_ATTENTION_MMA(SUFFIX, T)           \
  TT_ATTENTION_MMA_DIM(SUFFIX, T, 48, 64)     \
  TT_ATTENTION_MMA_DIM(SUFFIX, T, 64, 64)     \
  TT_ATTENTION_MMA_DIM(SUFFIX, T, 80, 64)     \
  TT_ATTENTION_MMA_DIM(SUFFIX, T, 160, 32)
TT_ATTENTION_MMA(f16, tt::half_t)
TT_ATTENTION_MMA(bf16, tt::bf16_t)
