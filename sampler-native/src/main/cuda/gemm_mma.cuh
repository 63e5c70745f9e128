// Matrix product and convolution on the tensor cores for fp16 and bf16, with everything of an epilogue: mma.m16n8k16, fp32 sums, both operands double
// buffered in shared memory. What cublasLt and cuDNN are measured against, and what takes their place where they are missing. Rows of both operands are
// multiples of 8 elements on addresses of 16 bytes; a convolution's channels are as well.
#pragma once

#include "attention_mma.cuh"
#include "gemm.cuh"

namespace tt {

constexpr int GEMM_MMA_DEPTH = 32;                            // k per stage
constexpr int GEMM_MMA_PITCH = GEMM_MMA_DEPTH + MMA_PAD;      // eight rows of a matrix lie in different banks
constexpr int GEMM_MMA_CHUNKS = GEMM_MMA_DEPTH / 8;           // of 16 bytes, a row and stage

// Rows of a dense matrix, 16 bytes at a time.
template <typename T>
struct DenseChunks {
  const T* data;
  int k;
  struct Row {
    const T* from;
    bool valid;
  };
  TT_DEVICE Row row(int64_t index, int64_t rows) const {
    bool valid = index < rows;
    return Row{data + (valid ? index * k : 0), valid};
  }
  TT_DEVICE const T* at(const Row& row, int column, bool& valid) const {
    valid = row.valid && column < k;
    return row.from + (valid ? column : 0);
  }
};

// As ConvolutionRows, 16 bytes at a time: eight channels of one pixel.
template <typename T>
struct ConvolutionChunks {
  ConvolutionRows<T> shape;
  int k;
  struct Row {
    const T* image;
    int y;
    int x;
    bool valid;
  };
  TT_DEVICE Row row(int64_t index, int64_t rows) const {
    bool valid = index < rows;
    int64_t pixel = valid ? index : 0;
    int64_t line = pixel / shape.out_width;
    int64_t image = line / shape.out_height;
    return Row{shape.data + image * shape.height * shape.width * shape.channels, (int)(line - image * shape.out_height) * shape.stride - shape.pad_top,
               (int)(pixel - line * shape.out_width) * shape.stride - shape.pad_left, valid};
  }
  TT_DEVICE const T* at(const Row& row, int column, bool& valid) const {
    int tap = column / shape.channels;
    int y = row.y + tap / shape.kernel_width;
    int x = row.x + tap % shape.kernel_width;
    valid = row.valid && column < k && x >= 0 && y >= 0 && x < shape.width && y < shape.height;
    return valid ? row.image + ((int64_t)y * shape.width + x) * shape.channels + (column - tap * shape.channels) : shape.data;
  }
};

template <typename T>
TT_DEVICE void store_result(T* out, int64_t at, bool second, bool paired, float low, float high) {
  if (paired) {
    store_pair(out + at, low, high);
  } else {
    out[at] = from_float<T>(low);
    if (second) {
      out[at + 1] = from_float<T>(high);
    }
  }
}

// Grid (tiles of m, tiles of n). A block computes ROWS x COLUMNS of the result; its warps share that as DOWN x ACROSS patches.
// Shared: 4 (ROWS + COLUMNS) GEMM_MMA_PITCH bytes, two stages.
template <typename T, typename Chunks, int ROWS, int COLUMNS, int DOWN, int ACROSS>
TT_DEVICE void multiply_mma(const Chunks& chunks, const T* weights, T* out, int64_t m, int n, int k, const GemmEpilogue<T>& end) {
  constexpr int THREADS = DOWN * ACROSS * WARP;
  constexpr int LOADS_A = ROWS * GEMM_MMA_CHUNKS / THREADS;
  constexpr int LOADS_B = COLUMNS * GEMM_MMA_CHUNKS / THREADS;
  constexpr int TILES_M = ROWS / DOWN / 16;
  constexpr int TILES_N = COLUMNS / ACROSS / 8;
  constexpr int STAGE = (ROWS + COLUMNS) * GEMM_MMA_PITCH;
  TT_DYNAMIC_SHARED(T, memory);
  int64_t row0 = (int64_t)block_x() * ROWS;
  int column0 = block_y() * COLUMNS;
  int lane = thread_x() % WARP;
  int warp_row = thread_x() / WARP / ACROSS * (ROWS / DOWN);
  int warp_column = thread_x() / WARP % ACROSS * (COLUMNS / ACROSS);

  // A thread copies the same rows and the same place within them in every stage.
  int load_row = thread_x() / GEMM_MMA_CHUNKS;
  int load_k = thread_x() % GEMM_MMA_CHUNKS * 8;
  constexpr int LOAD_STEP = THREADS / GEMM_MMA_CHUNKS;
  typename Chunks::Row rows[LOADS_A];
  TT_UNROLL
  for (int i = 0; i < LOADS_A; i++) {
    rows[i] = chunks.row(row0 + load_row + i * LOAD_STEP, m);
  }
  auto load = [&](int stage, int k0) {
    T* a = memory + stage * STAGE;
    T* b = a + ROWS * GEMM_MMA_PITCH;
    TT_UNROLL
    for (int i = 0; i < LOADS_A; i++) {
      bool valid;
      const T* from = chunks.at(rows[i], k0 + load_k, valid);
      copy16_async(a + (load_row + i * LOAD_STEP) * GEMM_MMA_PITCH + load_k, from, valid);
    }
    TT_UNROLL
    for (int i = 0; i < LOADS_B; i++) {
      int column = column0 + load_row + i * LOAD_STEP;
      bool valid = column < n && k0 + load_k < k;
      const T* from = valid ? weights + (int64_t)column * k + k0 + load_k : weights;
      copy16_async(b + (load_row + i * LOAD_STEP) * GEMM_MMA_PITCH + load_k, from, valid);
    }
    commit_copies();
  };

  float sum[TILES_M][TILES_N][4];
  TT_UNROLL
  for (int i = 0; i < TILES_M; i++) {
    TT_UNROLL
    for (int j = 0; j < TILES_N; j++) {
      TT_UNROLL
      for (int e = 0; e < 4; e++) {
        sum[i][j][e] = 0.0f;
      }
    }
  }
  int stages = (k + GEMM_MMA_DEPTH - 1) / GEMM_MMA_DEPTH;
  load(0, 0);
  for (int stage = 0; stage < stages; stage++) {
    if (stage + 1 < stages) {
      load((stage + 1) & 1, (stage + 1) * GEMM_MMA_DEPTH);
      wait_copies<1>();
    } else {
      wait_copies<0>();
    }
    sync_block();
    const T* a = memory + (stage & 1) * STAGE;
    const T* b = a + ROWS * GEMM_MMA_PITCH;
    TT_UNROLL
    for (int step = 0; step < GEMM_MMA_DEPTH; step += 16) {
      uint32_t left[TILES_M][4];
      TT_UNROLL
      for (int i = 0; i < TILES_M; i++) {
        load_matrices(left[i], a + (warp_row + i * 16 + lane % 16) * GEMM_MMA_PITCH + step + lane / 16 * 8);
      }
      TT_UNROLL
      for (int j = 0; j < TILES_N; j += 2) {
        // Two tiles of eight columns, both halves of sixteen k.
        uint32_t right[4];
        load_matrices(right, b + (warp_column + j * 8 + lane / 16 * 8 + lane % 8) * GEMM_MMA_PITCH + step + lane / 8 % 2 * 8);
        TT_UNROLL
        for (int i = 0; i < TILES_M; i++) {
          multiply_accumulate<T>(sum[i][j], left[i], right[0], right[1]);
          multiply_accumulate<T>(sum[i][j + 1], left[i], right[2], right[3]);
        }
      }
    }
    sync_block();
  }

  bool paired = n % 2 == 0;
  TT_UNROLL
  for (int i = 0; i < TILES_M; i++) {
    TT_UNROLL
    for (int half = 0; half < 2; half++) {
      int64_t row = row0 + warp_row + i * 16 + half * 8 + lane / 4;
      if (row >= m) {
        continue;
      }
      const T* channel_bias = end.channel_bias != nullptr ? end.channel_bias + row / end.rows_per_item * n : nullptr;
      TT_UNROLL
      for (int j = 0; j < TILES_N; j++) {
        int column = column0 + warp_column + j * 8 + lane % 4 * 2;
        float value[2];
        TT_UNROLL
        for (int e = 0; e < 2; e++) {
          bool there = column + e < n;
          float bias = there && end.bias != nullptr ? to_float(end.bias[column + e]) : 0.0f;
          float item = there && channel_bias != nullptr ? to_float(channel_bias[column + e]) : 0.0f;
          float residual = there && end.residual != nullptr ? to_float(end.residual[row * n + column + e]) : 0.0f;
          value[e] = epilogue(sum[i][j][2 * half + e], bias, item, end.activation, end.scale, residual);
        }
        if (column < n) {
          store_result(out, row * n + column, column + 1 < n, paired, value[0], value[1]);
        }
      }
    }
  }
}

}  // namespace tt

#define TT_GEMM_MMA_TILE(SUFFIX, T, NAME, ROWS, COLUMNS, DOWN, ACROSS)                                                                                   \
  TT_KERNEL(tt_linear_mma_##NAME##_##SUFFIX, DOWN * ACROSS * 32, const T* TT_RESTRICT x, const T* TT_RESTRICT weights, T* TT_RESTRICT out, int64_t m,    \
            int n, int k, const T* TT_RESTRICT bias, const T* TT_RESTRICT channel_bias, const T* TT_RESTRICT residual, int64_t rows_per_item,            \
            int activation, float scale) {                                                                                                               \
    tt::multiply_mma<T, tt::DenseChunks<T>, ROWS, COLUMNS, DOWN, ACROSS>(                                                                                \
        tt::DenseChunks<T>{x, k}, weights, out, m, n, k, tt::GemmEpilogue<T>{bias, channel_bias, residual, rows_per_item, activation, scale});           \
  }                                                                                                                                                      \
  TT_KERNEL(tt_conv2d_mma_##NAME##_##SUFFIX, DOWN * ACROSS * 32, const T* TT_RESTRICT x, const T* TT_RESTRICT weights, T* TT_RESTRICT out, int64_t m,    \
            int n, int k, const T* TT_RESTRICT bias, const T* TT_RESTRICT channel_bias, const T* TT_RESTRICT residual, int64_t rows_per_item,            \
            int activation, float scale, int height, int width, int channels, int out_height, int out_width, int kernel_width, int stride, int pad_top,  \
            int pad_left) {                                                                                                                              \
    tt::multiply_mma<T, tt::ConvolutionChunks<T>, ROWS, COLUMNS, DOWN, ACROSS>(                                                                          \
        tt::ConvolutionChunks<T>{tt::ConvolutionRows<T>{x, height, width, channels, out_height, out_width, kernel_width, stride, pad_top, pad_left}, k}, \
        weights, out, m, n, k, tt::GemmEpilogue<T>{bias, channel_bias, residual, rows_per_item, activation, scale});                                     \
  }
#define TT_GEMM_MMA(SUFFIX, T)                        \
  TT_GEMM_MMA_TILE(SUFFIX, T, 64, 64, 64, 2, 2)       \
  TT_GEMM_MMA_TILE(SUFFIX, T, 128, 128, 128, 2, 4)
TT_GEMM_MMA(f16, tt::half_t)
TT_GEMM_MMA(bf16, tt::bf16_t)
