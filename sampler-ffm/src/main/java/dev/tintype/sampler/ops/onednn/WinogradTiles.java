package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.VectorMath.LANES;
import static dev.tintype.sampler.ops.onednn.VectorMath.SPECIES;
import static dev.tintype.sampler.ops.onednn.VectorMath.load;
import static dev.tintype.sampler.ops.onednn.VectorMath.store;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.ops.Conv2dGeometry;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The tiles of one sample: 4x4 patches of the source that overlap by two pixels, each giving a 2x2
 * piece of the result. Transformed values lie as [point][tile][channel].
 *
 * @param residual null when nothing is added
 * @param slope the result is max(v, slope v), so 1 leaves it as it is
 */
record WinogradTiles(
    MemorySegment source,
    Shape in,
    MemorySegment result,
    Shape out,
    Conv2dGeometry geometry,
    MemorySegment bias,
    MemorySegment residual,
    float slope,
    float scale) {
  private static final int LINE_ELEMENTS = 16;

  /**
   * Elements from one point to the next, given the rows of a point. One cache line more than the
   * rows: with a power of two, the sixteen points of a tile would share one set of the cache.
   */
  static long pointStride(int rows, int channels) {
    return (long) rows * channels + LINE_ELEMENTS;
  }

  int across() {
    return (out.intDim(2) + 1) / 2;
  }

  int count() {
    return (out.intDim(1) + 1) / 2 * across();
  }

  /**
   * B^T d B of {@code count} tiles from {@code first} on, to rows {@code row}, row + 1, ... of each
   * point; a point has {@code rows} rows. {@code border} holds one patch, for tiles that reach over
   * the edge of the picture.
   */
  void transformInput(
      int first, int count, MemorySegment target, int rows, int row, MemorySegment border) {
    int height = in.intDim(1);
    int width = in.intDim(2);
    int channels = in.intDim(3);
    long pointStride = pointStride(rows, channels);
    for (int i = 0; i < count; i++) {
      int y = (first + i) / across() * 2 - geometry.padTop();
      int x = (first + i) % across() * 2 - geometry.padLeft();
      long to = (long) (row + i) * channels;
      if (y >= 0 && x >= 0 && y + 4 <= height && x + 4 <= width) {
        long from = ((long) y * width + x) * channels;
        patch(source, from, (long) width * channels, channels, target, to, pointStride);
      } else {
        copyBorder(y, x, border);
        patch(border, 0, 4L * channels, channels, target, to, pointStride);
      }
    }
  }

  private void copyBorder(int top, int left, MemorySegment border) {
    int channels = in.intDim(3);
    border.fill((byte) 0);
    for (int y = Math.max(0, top); y < Math.min(in.intDim(1), top + 4); y++) {
      int x = Math.max(0, left);
      int end = Math.min(in.intDim(2), left + 4);
      if (x < end) {
        MemorySegment.copy(
            source,
            4L * (y * in.dim(2) + x) * channels,
            border,
            4L * ((y - top) * 4 + x - left) * channels,
            4L * (end - x) * channels);
      }
    }
  }

  /** B^T d B with B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]. */
  private static void patch(
      MemorySegment source,
      long from,
      long rowStride,
      int channels,
      MemorySegment target,
      long to,
      long pointStride) {
    long b = from + rowStride;
    long c = from + 2 * rowStride;
    long d = from + 3 * rowStride;
    patchRow(source, from, c, -1, channels, target, to, pointStride);
    patchRow(source, b, c, 1, channels, target, to + 4 * pointStride, pointStride);
    patchRow(source, c, b, -1, channels, target, to + 8 * pointStride, pointStride);
    patchRow(source, b, d, -1, channels, target, to + 12 * pointStride, pointStride);
  }

  /**
   * One row of B^T d, source row {@code one} plus sign times source row {@code other}, times B. A
   * row per method, because the compiler stops looking into memory accesses after some twenty per
   * method, and then boxes the registers.
   */
  private static void patchRow(
      MemorySegment source,
      long one,
      long other,
      float sign,
      int channels,
      MemorySegment target,
      long to,
      long pointStride) {
    FloatVector factor = FloatVector.broadcast(SPECIES, sign);
    for (int c = 0; c < channels; c += LANES) {
      long x = one + c;
      long y = other + c;
      FloatVector v0 = load(source, y).fma(factor, load(source, x));
      x += channels;
      y += channels;
      FloatVector v1 = load(source, y).fma(factor, load(source, x));
      x += channels;
      y += channels;
      FloatVector v2 = load(source, y).fma(factor, load(source, x));
      x += channels;
      y += channels;
      FloatVector v3 = load(source, y).fma(factor, load(source, x));
      long at = to + c;
      store(v0.sub(v2), target, at);
      store(v1.add(v2), target, at + pointStride);
      store(v2.sub(v1), target, at + 2 * pointStride);
      store(v1.sub(v3), target, at + 3 * pointStride);
    }
  }

  /**
   * A^T m A of {@code count} tiles from {@code first} on, A^T = [1 1 1 0; 0 1 -1 -1], then the
   * epilogue. Tiles at the right and bottom edge may reach over the result; that part is dropped.
   */
  void transformOutput(int first, int count, MemorySegment products, int rows, int row) {
    int channels = out.intDim(3);
    int height = out.intDim(1);
    int width = out.intDim(2);
    long pointStride = pointStride(rows, channels);
    for (int i = 0; i < count; i++) {
      int y = (first + i) / across() * 2;
      int x = (first + i) % across() * 2;
      boolean right = x + 1 < width;
      long target = ((long) y * width + x) * channels;
      long from = (long) (row + i) * channels;
      pieceRow(products, from, 1, pointStride, channels, right, target);
      if (y + 1 < height) {
        long below = target + (long) width * channels;
        pieceRow(products, from + 4 * pointStride, -1, pointStride, channels, right, below);
      }
    }
  }

  /** One row of A^T m, its first row of points plus sign times the two behind it; times A. */
  private void pieceRow(
      MemorySegment products,
      long from,
      float sign,
      long pointStride,
      int channels,
      boolean right,
      long target) {
    FloatVector factor = FloatVector.broadcast(SPECIES, sign);
    for (int c = 0; c < channels; c += LANES) {
      long p = from + c;
      long q = p + 4 * pointStride;
      long r = q + 4 * pointStride;
      FloatVector v0 = load(products, q).add(load(products, r)).fma(factor, load(products, p));
      p += pointStride;
      q += pointStride;
      r += pointStride;
      FloatVector v1 = load(products, q).add(load(products, r)).fma(factor, load(products, p));
      p += pointStride;
      q += pointStride;
      r += pointStride;
      FloatVector v2 = load(products, q).add(load(products, r)).fma(factor, load(products, p));
      p += pointStride;
      q += pointStride;
      r += pointStride;
      FloatVector v3 = load(products, q).add(load(products, r)).fma(factor, load(products, p));
      FloatVector shift = load(bias, c);
      FloatVector left = v0.add(v1).add(v2).add(shift);
      store(left.max(left.mul(slope)).mul(scale), result, target + c);
      if (right) {
        FloatVector other = v1.sub(v2).sub(v3).add(shift);
        store(other.max(other.mul(slope)).mul(scale), result, target + channels + c);
      }
    }
    if (residual != null) {
      addResidual(target, right ? 2 * channels : channels);
    }
  }

  private void addResidual(long target, int elements) {
    for (int c = 0; c < elements; c += LANES) {
      store(load(result, target + c).add(load(residual, target + c)), result, target + c);
    }
  }
}
