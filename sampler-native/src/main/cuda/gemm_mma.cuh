// Matrix product and convolution on the tensor cores for fp16 and bf16, with everything of an epilogue: mma.m16n8k16, fp32 sums, both operands double
// buffered in shared memory; and a product with GEGLU inside. What cublasLt and cuDNN are measured against, and what takes their place where they are
// missing. Rows of both operands are multiples of 8 elements on addresses of 16 bytes; a convolution's channels are as well.
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

// The rows of the weights that a product's columns come from: those of the same numbers.
struct EachColumn {
  int n;
  TT_DEVICE int row(int column, bool& valid) const {
    valid = column < n;
    return column;
  }
};

// Values and gates, whose rows lie n apart, in turn by eights: of two neighbouring tiles of eight columns the left is the value of eight columns of the
// result and the right the gate of the same, and a thread has both.
struct GatedColumns {
  int n;  // of the result
  TT_DEVICE int row(int column, bool& valid) const {
    int of_result = column / 16 * 8 + column % 8;
    valid = of_result < n;
    return of_result + (column & 8 ? n : 0);
  }
};

// The part of a product that a block computes, ROWS x COLUMNS, and of that the patch of a thread's warp: the warps are DOWN x ACROSS patches.
// Shared: 4 (ROWS + COLUMNS) GEMM_MMA_PITCH bytes, two stages.
template <int ROWS, int COLUMNS, int DOWN, int ACROSS>
struct MmaTile {
  static constexpr int THREADS = DOWN * ACROSS * WARP;
  static constexpr int TILES_M = ROWS / DOWN / 16;
  static constexpr int TILES_N = COLUMNS / ACROSS / 8;

  // Grid (tiles of m, tiles of n).
  TT_DEVICE static int64_t row() { return (int64_t)block_x() * ROWS; }
  TT_DEVICE static int column() { return block_y() * COLUMNS; }
  TT_DEVICE static int warp_row() { return thread_x() / WARP / ACROSS * (ROWS / DOWN); }
  TT_DEVICE static int warp_column() { return thread_x() / WARP % ACROSS * (COLUMNS / ACROSS); }
};

// sum = rows of the left operand x rows of the weights, in the fragments of mma.m16n8k16; in the same order in tiles of any size.
template <typename T, int ROWS, int COLUMNS, int DOWN, int ACROSS, typename Chunks, typename Columns>
TT_DEVICE void sum_products(const Chunks& chunks, const Columns& columns, const T* weights, int64_t m, int k,
                            float (&sum)[ROWS / DOWN / 16][COLUMNS / ACROSS / 8][4]) {
  using Tile = MmaTile<ROWS, COLUMNS, DOWN, ACROSS>;
  constexpr int LOADS_A = ROWS * GEMM_MMA_CHUNKS / Tile::THREADS;
  constexpr int LOADS_B = COLUMNS * GEMM_MMA_CHUNKS / Tile::THREADS;
  constexpr int STAGE = (ROWS + COLUMNS) * GEMM_MMA_PITCH;
  TT_DYNAMIC_SHARED(T, memory);
  int64_t row0 = Tile::row();
  int column0 = Tile::column();
  int lane = thread_x() % WARP;
  int warp_row = Tile::warp_row();
  int warp_column = Tile::warp_column();

  // A thread copies the same rows and the same place within them in every stage.
  int load_row = thread_x() / GEMM_MMA_CHUNKS;
  int load_k = thread_x() % GEMM_MMA_CHUNKS * 8;
  constexpr int LOAD_STEP = Tile::THREADS / GEMM_MMA_CHUNKS;
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
      bool valid;
      int row = columns.row(column0 + load_row + i * LOAD_STEP, valid);
      valid = valid && k0 + load_k < k;
      const T* from = valid ? weights + (int64_t)row * k + k0 + load_k : weights;
      copy16_async(b + (load_row + i * LOAD_STEP) * GEMM_MMA_PITCH + load_k, from, valid);
    }
    commit_copies();
  };

  TT_UNROLL
  for (int i = 0; i < Tile::TILES_M; i++) {
    TT_UNROLL
    for (int j = 0; j < Tile::TILES_N; j++) {
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
      uint32_t left[Tile::TILES_M][4];
      TT_UNROLL
      for (int i = 0; i < Tile::TILES_M; i++) {
        load_matrices(left[i], a + (warp_row + i * 16 + lane % 16) * GEMM_MMA_PITCH + step + lane / 16 * 8);
      }
      TT_UNROLL
      for (int j = 0; j < Tile::TILES_N; j += 2) {
        // Two tiles of eight columns, both halves of sixteen k.
        uint32_t right[4];
        load_matrices(right, b + (warp_column + j * 8 + lane / 16 * 8 + lane % 8) * GEMM_MMA_PITCH + step + lane / 8 % 2 * 8);
        TT_UNROLL
        for (int i = 0; i < Tile::TILES_M; i++) {
          multiply_accumulate<T>(sum[i][j], left[i], right[0], right[1]);
          multiply_accumulate<T>(sum[i][j + 1], left[i], right[2], right[3]);
        }
      }
    }
    sync_block();
  }
}

template <typename T, typename Chunks, int ROWS, int COLUMNS, int DOWN, int ACROSS>
TT_DEVICE void multiply_mma(const Chunks& chunks, const T* weights, T* out, int64_t m, int n, int k, const GemmEpilogue<T>& end) {
  using Tile = MmaTile<ROWS, COLUMNS, DOWN, ACROSS>;
  float sum[Tile::TILES_M][Tile::TILES_N][4];
  sum_products<T, ROWS, COLUMNS, DOWN, ACROSS>(chunks, EachColumn{n}, weights, m, k, sum);
  int lane = thread_x() % WARP;
  bool paired = n % 2 == 0;
  TT_UNROLL
  for (int i = 0; i < Tile::TILES_M; i++) {
    TT_UNROLL
    for (int half = 0; half < 2; half++) {
      int64_t row = Tile::row() + Tile::warp_row() + i * 16 + half * 8 + lane / 4;
      if (row >= m) {
        continue;
      }
      TT_UNROLL
      for (int j = 0; j < Tile::TILES_N; j++) {
        int column = Tile::column() + Tile::warp_column() + j * 8 + lane % 4 * 2;
        float value[2];
        TT_UNROLL
        for (int e = 0; e < 2; e++) {
          bool there = column + e < n;
          float bias = there && end.bias != nullptr ? to_float(end.bias[column + e]) : 0.0f;
          float residual = there && end.residual != nullptr ? to_float(end.residual[row * n + column + e]) : 0.0f;
          value[e] = epilogue(sum[i][j][2 * half + e], bias, end.activation, end.scale, residual);
        }
        if (column < n) {
          store_result(out, row * n + column, column + 1 < n, paired, value[0], value[1]);
        }
      }
    }
  }
}

// out[m, n] = value * gelu(gate): rows 0 to n of the weights give the value, rows n to 2 n the gate, bias as well. Neither is rounded to the storage type
// before they meet. A block computes ROWS x COLUMNS / 2 of the result.
template <typename T, int ROWS, int COLUMNS, int DOWN, int ACROSS>
TT_DEVICE void multiply_geglu_mma(const T* x, const T* weights, T* out, int64_t m, int n, int k, const T* bias) {
  using Tile = MmaTile<ROWS, COLUMNS, DOWN, ACROSS>;
  static_assert(Tile::TILES_N % 2 == 0, "a warp has values and their gates");
  float sum[Tile::TILES_M][Tile::TILES_N][4];
  sum_products<T, ROWS, COLUMNS, DOWN, ACROSS>(DenseChunks<T>{x, k}, GatedColumns{n}, weights, m, k, sum);
  int lane = thread_x() % WARP;
  int column0 = (Tile::column() + Tile::warp_column()) / 2 + lane % 4 * 2;
  bool paired = n % 2 == 0;
  TT_UNROLL
  for (int j = 0; j < Tile::TILES_N; j += 2) {
    int column = column0 + j / 2 * 8;
    float value_bias[2];
    float gate_bias[2];
    TT_UNROLL
    for (int e = 0; e < 2; e++) {
      bool there = column + e < n && bias != nullptr;
      value_bias[e] = there ? to_float(bias[column + e]) : 0.0f;
      gate_bias[e] = there ? to_float(bias[n + column + e]) : 0.0f;
    }
    TT_UNROLL
    for (int i = 0; i < Tile::TILES_M; i++) {
      TT_UNROLL
      for (int half = 0; half < 2; half++) {
        int64_t row = Tile::row() + Tile::warp_row() + i * 16 + half * 8 + lane / 4;
        float gated[2];
        TT_UNROLL
        for (int e = 0; e < 2; e++) {
          gated[e] = geglu(sum[i][j][2 * half + e] + value_bias[e], sum[i][j + 1][2 * half + e] + gate_bias[e]);
        }
        if (row < m && column < n) {
          store_result(out, row * n + column, column + 1 < n, paired, gated[0], gated[1]);
        }
      }
    }
  }
}

}  // namespace tt

#define TT_GEMM_MMA_TILE(SUFFIX, T, NAME, ROWS, COLUMNS, DOWN, ACROSS)                                                                                   \
  TT_KERNEL(tt_linear_mma_##NAME##_##SUFFIX, DOWN * ACROSS * 32, const T* TT_RESTRICT x, const T* TT_RESTRICT weights, T* TT_RESTRICT out, int64_t m,    \
            int n, int k, const T* TT_RESTRICT bias, const T* TT_RESTRICT residual, int activation, float scale) {                                       \
    tt::multiply_mma<T, tt::DenseChunks<T>, ROWS, COLUMNS, DOWN, ACROSS>(                                                                                \
        tt::DenseChunks<T>{x, k}, weights, out, m, n, k, tt::GemmEpilogue<T>{bias, residual, activation, scale});                                        \
  }                                                                                                                                                      \
  TT_KERNEL(tt_conv2d_mma_##NAME##_##SUFFIX, DOWN * ACROSS * 32, const T* TT_RESTRICT x, const T* TT_RESTRICT weights, T* TT_RESTRICT out, int64_t m,    \
            int n, int k, const T* TT_RESTRICT bias, const T* TT_RESTRICT residual, int activation, float scale, int height, int width, int channels,    \
            int out_height, int out_width, int kernel_width, int stride, int pad_top, int pad_left) {                                                    \
    tt::multiply_mma<T, tt::ConvolutionChunks<T>, ROWS, COLUMNS, DOWN, ACROSS>(                                                                          \
        tt::ConvolutionChunks<T>{tt::ConvolutionRows<T>{x, height, width, channels, out_height, out_width, kernel_width, stride, pad_top, pad_left}, k}, \
        weights, out, m, n, k, tt::GemmEpilogue<T>{bias, residual, activation, scale});                                                                  \
  }                                                                                                                                                      \
  TT_KERNEL(tt_linear_geglu_mma_##NAME##_##SUFFIX, DOWN * ACROSS * 32, const T* TT_RESTRICT x, const T* TT_RESTRICT weights, T* TT_RESTRICT out,         \
            int64_t m, int n, int k, const T* TT_RESTRICT bias) {                                                                                        \
    tt::multiply_geglu_mma<T, ROWS, COLUMNS, DOWN, ACROSS>(x, weights, out, m, n, k, bias);                                                              \
  }
#define TT_GEMM_MMA(SUFFIX, T)                        \
  TT_GEMM_MMA_TILE(SUFFIX, T, 64, 64, 64, 2, 2)       \
  TT_GEMM_MMA_TILE(SUFFIX, T, 128, 128, 128, 2, 4)
TT_GEMM_MMA(f16, tt::half_t)
TT_GEMM_MMA(bf16, tt::bf16_t)
