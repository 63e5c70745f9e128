// Matrix product and convolution without libraries: out[m, n] = epilogue(sum_k a[m, k] w[n, k]). Plain fp32 arithmetic on the ordinary cores, tiles in
// shared memory. cublasLt and cuDNN are many times faster on 16-bit types; these run where they are missing, and check them where they are not.
#pragma once

#include "elementwise.cuh"

namespace tt {

constexpr int GEMM_TILE = 64;   // rows and columns of a block's result
constexpr int GEMM_DEPTH = 16;  // k per step
constexpr int GEMM_THREADS = 256;

// Rows of a dense matrix.
template <typename T>
struct DenseRows {
  const T* data;
  int64_t k;
  TT_DEVICE float at(int64_t row, int column) const { return to_float(data[row * k + column]); }
};

// A convolution's input seen as a matrix: row = output pixel, column = (kernel row, kernel column, channel); outside the picture is zero.
template <typename T>
struct ConvolutionRows {
  const T* data;
  int height, width, channels;
  int out_height, out_width;
  int kernel_width, stride, pad_top, pad_left;
  TT_DEVICE float at(int64_t row, int column) const {
    int channel = column % channels;
    int tap = column / channels;
    int64_t line = row / out_width;
    int x = (int)(row - line * out_width) * stride - pad_left + tap % kernel_width;
    int64_t image = line / out_height;
    int y = (int)(line - image * out_height) * stride - pad_top + tap / kernel_width;
    if (x < 0 || y < 0 || x >= width || y >= height) {
      return 0.0f;
    }
    return to_float(data[((image * height + y) * width + x) * channels + channel]);
  }
};

template <typename T>
struct GemmEpilogue {
  const T* bias;          // [n] or null
  const T* residual;      // [m, n] or null
  int activation;
  float scale;
};

// Grid (tiles of m, tiles of n). Each thread owns a 4 x 4 patch of the result.
template <typename T, typename Rows>
TT_DEVICE void multiply(const Rows& rows, const T* weights, T* out, int64_t m, int n, int k, const GemmEpilogue<T>& end) {
  __shared__ float a[GEMM_DEPTH][GEMM_TILE + 4];
  __shared__ float b[GEMM_DEPTH][GEMM_TILE + 4];
  int64_t row0 = (int64_t)block_x() * GEMM_TILE;
  int column0 = block_y() * GEMM_TILE;
  int load_row = thread_x() / 4;
  int load_k = thread_x() % 4 * 4;
  int patch_row = thread_x() / 16 * 4;
  int patch_column = thread_x() % 16 * 4;
  float sum[4][4];
  TT_UNROLL
  for (int i = 0; i < 4; i++) {
    TT_UNROLL
    for (int j = 0; j < 4; j++) {
      sum[i][j] = 0.0f;
    }
  }
  for (int k0 = 0; k0 < k; k0 += GEMM_DEPTH) {
    TT_UNROLL
    for (int i = 0; i < 4; i++) {
      int column = k0 + load_k + i;
      a[load_k + i][load_row] = row0 + load_row < m && column < k ? rows.at(row0 + load_row, column) : 0.0f;
      b[load_k + i][load_row] = column0 + load_row < n && column < k ? to_float(weights[(int64_t)(column0 + load_row) * k + column]) : 0.0f;
    }
    sync_block();
    TT_UNROLL
    for (int depth = 0; depth < GEMM_DEPTH; depth++) {
      TT_UNROLL
      for (int i = 0; i < 4; i++) {
        TT_UNROLL
        for (int j = 0; j < 4; j++) {
          sum[i][j] += a[depth][patch_row + i] * b[depth][patch_column + j];
        }
      }
    }
    sync_block();
  }
  TT_UNROLL
  for (int i = 0; i < 4; i++) {
    int64_t row = row0 + patch_row + i;
    TT_UNROLL
    for (int j = 0; j < 4; j++) {
      int column = column0 + patch_column + j;
      if (row < m && column < n) {
        float bias = end.bias != nullptr ? to_float(end.bias[column]) : 0.0f;
        float residual = end.residual != nullptr ? to_float(end.residual[row * n + column]) : 0.0f;
        out[row * n + column] = from_float<T>(epilogue(sum[i][j], bias, end.activation, end.scale, residual));
      }
    }
  }
}

}  // namespace tt

#define TT_GEMM(SUFFIX, T)                                                                                                                            \
  TT_KERNEL(tt_linear_##SUFFIX, 256, const T* TT_RESTRICT x, const T* TT_RESTRICT weights, T* TT_RESTRICT out, int64_t m, int n, int k,               \
            const T* TT_RESTRICT bias, const T* TT_RESTRICT residual, int activation, float scale) {                                                  \
    tt::multiply<T>(tt::DenseRows<T>{x, k}, weights, out, m, n, k, tt::GemmEpilogue<T>{bias, residual, activation, scale});                           \
  }                                                                                                                                                   \
  TT_KERNEL(tt_conv2d_##SUFFIX, 256, const T* TT_RESTRICT x, const T* TT_RESTRICT weights, T* TT_RESTRICT out, int64_t m, int n, int k,               \
            const T* TT_RESTRICT bias, const T* TT_RESTRICT residual, int activation, float scale, int height, int width, int channels,               \
            int out_height, int out_width, int kernel_width, int stride, int pad_top, int pad_left) {                                                 \
    tt::multiply<T>(tt::ConvolutionRows<T>{x, height, width, channels, out_height, out_width, kernel_width, stride, pad_top, pad_left}, weights, out, \
                    m, n, k, tt::GemmEpilogue<T>{bias, residual, activation, scale});                                                                 \
  }
TT_FOR_EACH_TYPE(TT_GEMM)
