// Kernels that move values without looking at them, so they know units of 2, 4 or 16 bytes instead of types.
#pragma once

#include "elementwise.cuh"

namespace tt {

constexpr int TRANSPOSE_TILE = 32;

// `count` units of each row, between two strides: slices, and each part of a concatenation.
template <typename U>
TT_DEVICE void copy_rows(const U* from, U* to, int64_t rows, int count, int from_stride, int to_stride) {
  for (int64_t i = global_thread(); i < rows * count; i += global_threads()) {
    int64_t row = i / count;
    int64_t column = i - row * count;
    to[row * to_stride + column] = from[row * from_stride + column];
  }
}

// Row index[i] of a table of `count` units a row.
template <typename U>
TT_DEVICE void gather_rows(const U* from, const int* index, U* to, int64_t rows, int count) {
  for (int64_t i = global_thread(); i < rows * count; i += global_threads()) {
    int64_t row = i / count;
    to[i] = from[(int64_t)index[row] * count + (i - row * count)];
  }
}

// Rows of `count` values in rows of `wide`, a multiple of 8; the rest of each is zero. A thread writes 16 bytes.
TT_DEVICE void widen_rows(const uint16_t* from, Bytes16* to, int64_t rows, int count, int wide) {
  int chunks = wide / 8;
  for (int64_t i = global_thread(); i < rows * chunks; i += global_threads()) {
    int64_t row = i / chunks;
    int column = (int)(i - row * chunks) * 8;
    const uint16_t* values = from + row * count + column;
    Bytes16 chunk;
    TT_UNROLL
    for (int j = 0; j < 4; j++) {
      uint32_t low = column + 2 * j < count ? values[2 * j] : 0;
      uint32_t high = column + 2 * j + 1 < count ? values[2 * j + 1] : 0;
      chunk.word[j] = low | high << 16;
    }
    to[i] = chunk;
  }
}

// Nearest neighbour as torch does: output pixel i reads input floor(i * in / out). [n, h, w, count units] each.
template <typename U>
TT_DEVICE void upsample(const U* from, U* to, int64_t n, int in_height, int in_width, int count, int out_height, int out_width) {
  int64_t all = n * out_height * out_width * count;
  for (int64_t i = global_thread(); i < all; i += global_threads()) {
    int64_t pixel = i / count;
    int unit = (int)(i - pixel * count);
    int64_t line = pixel / out_width;
    int x = (int)(pixel - line * out_width);
    int64_t image = line / out_height;
    int y = (int)(line - image * out_height);
    int from_y = (int)((int64_t)y * in_height / out_height);
    int from_x = (int)((int64_t)x * in_width / out_width);
    to[i] = from[((image * in_height + from_y) * in_width + from_x) * count + unit];
  }
}

// [n, h, w, c] to [n, h / f, w / f, c f f], channel order of torch.nn.PixelUnshuffle: c, then the row and the column within the square.
template <typename U>
TT_DEVICE void pixel_unshuffle(const U* from, U* to, int64_t n, int height, int width, int channels, int factor) {
  int out_height = height / factor;
  int out_width = width / factor;
  int out_channels = channels * factor * factor;
  for (int64_t i = global_thread(); i < n * out_height * out_width * out_channels; i += global_threads()) {
    int64_t pixel = i / out_channels;
    int k = (int)(i - pixel * out_channels);
    int channel = k / (factor * factor);
    int dy = k / factor % factor;
    int dx = k % factor;
    int64_t line = pixel / out_width;
    int x = (int)(pixel - line * out_width);
    int64_t image = line / out_height;
    int y = (int)(line - image * out_height);
    to[i] = from[((image * height + y * factor + dy) * width + x * factor + dx) * channels + channel];
  }
}

// [batch, rows, columns] to [batch, columns, rows] through shared memory, so that reads and writes are both contiguous. Blocks of 256 threads; grid
// (all tiles, 1, batch), since only the x of a grid may pass 65,535.
template <typename U>
TT_DEVICE void transpose(const U* from, U* to, int rows, int columns) {
  __shared__ U tile[TRANSPOSE_TILE][TRANSPOSE_TILE + 1];
  int64_t base = (int64_t)block_z() * rows * columns;
  int across = (columns + TRANSPOSE_TILE - 1) / TRANSPOSE_TILE;
  int column0 = block_x() % across * TRANSPOSE_TILE;
  int row0 = block_x() / across * TRANSPOSE_TILE;
  int x = thread_x() % TRANSPOSE_TILE;
  for (int y = thread_x() / TRANSPOSE_TILE; y < TRANSPOSE_TILE; y += threads_x() / TRANSPOSE_TILE) {
    if (row0 + y < rows && column0 + x < columns) {
      tile[y][x] = from[base + (int64_t)(row0 + y) * columns + column0 + x];
    }
  }
  sync_block();
  for (int y = thread_x() / TRANSPOSE_TILE; y < TRANSPOSE_TILE; y += threads_x() / TRANSPOSE_TILE) {
    if (column0 + y < columns && row0 + x < rows) {
      to[base + (int64_t)(column0 + y) * rows + row0 + x] = tile[x][y];
    }
  }
}

}  // namespace tt

#define TT_LAYOUT_ANY(SUFFIX, U)                                                                                                                 \
  TT_KERNEL(tt_copy_rows_##SUFFIX, 256, const U* TT_RESTRICT from, U* TT_RESTRICT to, int64_t rows, int count, int from_stride, int to_stride) {  \
    tt::copy_rows(from, to, rows, count, from_stride, to_stride);                                                                                \
  }                                                                                                                                              \
  TT_KERNEL(tt_gather_rows_##SUFFIX, 256, const U* TT_RESTRICT from, const int* TT_RESTRICT index, U* TT_RESTRICT to, int64_t rows, int count) {  \
    tt::gather_rows(from, index, to, rows, count);                                                                                               \
  }                                                                                                                                              \
  TT_KERNEL(tt_upsample_##SUFFIX, 256, const U* TT_RESTRICT from, U* TT_RESTRICT to, int64_t n, int in_height, int in_width, int count,           \
            int out_height, int out_width) {                                                                                                     \
    tt::upsample(from, to, n, in_height, in_width, count, out_height, out_width);                                                                \
  }
#define TT_LAYOUT_SCALAR(SUFFIX, U)                                                                                                                  \
  TT_KERNEL(tt_pixel_unshuffle_##SUFFIX, 256, const U* TT_RESTRICT from, U* TT_RESTRICT to, int64_t n, int height, int width, int channels, int factor) { \
    tt::pixel_unshuffle(from, to, n, height, width, channels, factor);                                                                               \
  }                                                                                                                                                  \
  TT_KERNEL(tt_transpose_##SUFFIX, 256, const U* TT_RESTRICT from, U* TT_RESTRICT to, int rows, int columns) {                                        \
    tt::transpose(from, to, rows, columns);                                                                                                          \
  }
TT_LAYOUT_ANY(b2, uint16_t)
TT_LAYOUT_ANY(b4, uint32_t)
TT_LAYOUT_ANY(b16, tt::Bytes16)
TT_LAYOUT_SCALAR(b2, uint16_t)
TT_LAYOUT_SCALAR(b4, uint32_t)
TT_KERNEL(tt_widen_rows_b2, 256, const uint16_t* TT_RESTRICT from, tt::Bytes16* TT_RESTRICT to, int64_t rows, int count, int wide) {
  tt::widen_rows(from, to, rows, count, wide);
}
