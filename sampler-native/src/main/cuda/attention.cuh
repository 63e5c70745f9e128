// softmax(q k^T scale) v per head, online softmax, in fp32 arithmetic: any storage type, any head dimension up to 512. The oracle of the tensor-core version
// (attention_mma.cuh), and the only one for fp32. q [n, t, heads d], k and v [n, s, heads d], out [n, t, heads d]; strides in elements per token.
#pragma once

#include "platform.cuh"

namespace tt {

struct AttentionShape {
  int queries;
  int keys;
  int dim;
  int q_stride;
  int k_stride;
  int v_stride;
  int out_stride;
  float scale;
  int causal;
};

constexpr int SIMPLE_QUERIES = 16;
constexpr int SIMPLE_KEYS = 32;
constexpr int SIMPLE_CHUNK = 64;  // head dimensions in shared memory at a time
constexpr int SIMPLE_THREADS = 128;

// Grid (tiles of queries, heads, n). Eight neighbouring threads own a query; each computes 4 scores, and 8 of every 64 head dimensions of the result.
template <typename T, int CHUNKS>
TT_DEVICE void attention_simple(const T* q, const T* k, const T* v, T* out, const AttentionShape& s) {
  __shared__ float queries[SIMPLE_QUERIES][SIMPLE_CHUNK + 1];
  __shared__ float keys[SIMPLE_KEYS][SIMPLE_CHUNK + 1];
  __shared__ float weights[SIMPLE_QUERIES][SIMPLE_KEYS + 1];
  int query0 = block_x() * SIMPLE_QUERIES;
  int64_t head = (int64_t)block_y() * s.dim;
  const T* q_item = q + (int64_t)block_z() * s.queries * s.q_stride + head;
  const T* k_item = k + (int64_t)block_z() * s.keys * s.k_stride + head;
  const T* v_item = v + (int64_t)block_z() * s.keys * s.v_stride + head;
  int row = thread_x() / 8;
  int slot = thread_x() % 8;
  int query = query0 + row;
  float sum[CHUNKS][8];
  TT_UNROLL
  for (int c = 0; c < CHUNKS; c++) {
    TT_UNROLL
    for (int i = 0; i < 8; i++) {
      sum[c][i] = 0.0f;
    }
  }
  SoftmaxState state = softmax_empty();
  int last = query0 + SIMPLE_QUERIES;
  int visible = s.causal != 0 && last < s.keys ? last : s.keys;
  for (int key0 = 0; key0 < visible; key0 += SIMPLE_KEYS) {
    float score[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int d0 = 0; d0 < s.dim; d0 += SIMPLE_CHUNK) {
      for (int i = thread_x(); i < SIMPLE_QUERIES * SIMPLE_CHUNK; i += SIMPLE_THREADS) {
        int r = i / SIMPLE_CHUNK;
        int d = d0 + i % SIMPLE_CHUNK;
        bool valid = query0 + r < s.queries && d < s.dim;
        queries[r][i % SIMPLE_CHUNK] = valid ? to_float(q_item[(int64_t)(query0 + r) * s.q_stride + d]) : 0.0f;
      }
      for (int i = thread_x(); i < SIMPLE_KEYS * SIMPLE_CHUNK; i += SIMPLE_THREADS) {
        int r = i / SIMPLE_CHUNK;
        int d = d0 + i % SIMPLE_CHUNK;
        bool valid = key0 + r < s.keys && d < s.dim;
        keys[r][i % SIMPLE_CHUNK] = valid ? to_float(k_item[(int64_t)(key0 + r) * s.k_stride + d]) : 0.0f;
      }
      sync_block();
      for (int d = 0; d < SIMPLE_CHUNK; d++) {
        TT_UNROLL
        for (int i = 0; i < 4; i++) {
          score[i] += queries[row][d] * keys[slot + 8 * i][d];
        }
      }
      sync_block();
    }
    float maximum = state.maximum;
    TT_UNROLL
    for (int i = 0; i < 4; i++) {
      int key = key0 + slot + 8 * i;
      score[i] = key < s.keys && (s.causal == 0 || key <= query) ? score[i] * s.scale : -INFINITY;
      maximum = score[i] > maximum ? score[i] : maximum;
    }
    TT_UNROLL
    for (int mask = 4; mask > 0; mask /= 2) {
      float other = shuffle_xor(maximum, mask);
      maximum = other > maximum ? other : maximum;
    }
    float correction = softmax_weight(state.maximum, maximum);
    float tile_sum = 0.0f;
    TT_UNROLL
    for (int i = 0; i < 4; i++) {
      float weight = softmax_weight(score[i], maximum);
      weights[row][slot + 8 * i] = weight;
      tile_sum += weight;
    }
    TT_UNROLL
    for (int mask = 4; mask > 0; mask /= 2) {
      tile_sum += shuffle_xor(tile_sum, mask);
    }
    state.maximum = maximum;
    state.sum = state.sum * correction + tile_sum;
    TT_UNROLL
    for (int c = 0; c < CHUNKS; c++) {
      if (c * SIMPLE_CHUNK < s.dim) {
        for (int i = thread_x(); i < SIMPLE_KEYS * SIMPLE_CHUNK; i += SIMPLE_THREADS) {
          int r = i / SIMPLE_CHUNK;
          int d = c * SIMPLE_CHUNK + i % SIMPLE_CHUNK;
          bool valid = key0 + r < s.keys && d < s.dim;
          keys[r][i % SIMPLE_CHUNK] = valid ? to_float(v_item[(int64_t)(key0 + r) * s.v_stride + d]) : 0.0f;
        }
        sync_block();
        TT_UNROLL
        for (int i = 0; i < 8; i++) {
          sum[c][i] *= correction;
        }
        for (int key = 0; key < SIMPLE_KEYS; key++) {
          float weight = weights[row][key];
          TT_UNROLL
          for (int i = 0; i < 8; i++) {
            sum[c][i] += weight * keys[key][slot + 8 * i];
          }
        }
        sync_block();
      }
    }
  }
  if (query < s.queries) {
    T* to = out + ((int64_t)block_z() * s.queries + query) * s.out_stride + head;
    float inverse = 1.0f / state.sum;
    TT_UNROLL
    for (int c = 0; c < CHUNKS; c++) {
      TT_UNROLL
      for (int i = 0; i < 8; i++) {
        int d = c * SIMPLE_CHUNK + slot + 8 * i;
        if (d < s.dim) {
          to[d] = from_float<T>(sum[c][i] * inverse);
        }
      }
    }
  }
}

}  // namespace tt

#define TT_ATTENTION_PARAMETERS(T)                                                                                                                   \
  const T *TT_RESTRICT q, const T *TT_RESTRICT k, const T *TT_RESTRICT v, T *TT_RESTRICT out, int queries, int keys, int dim, int q_stride,          \
      int k_stride, int v_stride, int out_stride, float scale, int causal
#define TT_ATTENTION_SHAPE                                                                          \
  tt::AttentionShape {                                                                              \
    queries, keys, dim, q_stride, k_stride, v_stride, out_stride, scale, causal                     \
  }
#define TT_ATTENTION(SUFFIX, T)                                                                                                                         \
  TT_KERNEL(tt_attention_simple_64_##SUFFIX, 128, TT_ATTENTION_PARAMETERS(T)) { tt::attention_simple<T, 1>(q, k, v, out, TT_ATTENTION_SHAPE); }         \
  TT_KERNEL(tt_attention_simple_512_##SUFFIX, 128, TT_ATTENTION_PARAMETERS(T)) { tt::attention_simple<T, 8>(q, k, v, out, TT_ATTENTION_SHAPE); }
TT_FOR_EACH_TYPE(TT_ATTENTION)
