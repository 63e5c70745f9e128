package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.VectorMath.LANES;
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
    long pointStride = (long) rows * channels;
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

  /** B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]: columns first, then rows. */
  private static void patch(
      MemorySegment source,
      long from,
      long rowStride,
      int channels,
      MemorySegment target,
      long to,
      long pointStride) {
    for (int c = 0; c < channels; c += LANES) {
      long at = from + c;
      FloatVector a0 = load(source, at);
      FloatVector a1 = load(source, at + channels);
      FloatVector a2 = load(source, at + 2L * channels);
      FloatVector a3 = load(source, at + 3L * channels);
      at += rowStride;
      FloatVector b0 = load(source, at);
      FloatVector b1 = load(source, at + channels);
      FloatVector b2 = load(source, at + 2L * channels);
      FloatVector b3 = load(source, at + 3L * channels);
      at += rowStride;
      FloatVector c0 = load(source, at);
      FloatVector c1 = load(source, at + channels);
      FloatVector c2 = load(source, at + 2L * channels);
      FloatVector c3 = load(source, at + 3L * channels);
      at += rowStride;
      FloatVector d0 = load(source, at);
      FloatVector d1 = load(source, at + channels);
      FloatVector d2 = load(source, at + 2L * channels);
      FloatVector d3 = load(source, at + 3L * channels);
      long p = to + c;
      row(a0.sub(c0), a1.sub(c1), a2.sub(c2), a3.sub(c3), target, p, pointStride);
      row(b0.add(c0), b1.add(c1), b2.add(c2), b3.add(c3), target, p + 4 * pointStride, pointStride);
      row(c0.sub(b0), c1.sub(b1), c2.sub(b2), c3.sub(b3), target, p + 8 * pointStride, pointStride);
      row(
          b0.sub(d0),
          b1.sub(d1),
          b2.sub(d2),
          b3.sub(d3),
          target,
          p + 12 * pointStride,
          pointStride);
    }
  }

  private static void row(
      FloatVector v0,
      FloatVector v1,
      FloatVector v2,
      FloatVector v3,
      MemorySegment target,
      long at,
      long pointStride) {
    store(v0.sub(v2), target, at);
    store(v1.add(v2), target, at + pointStride);
    store(v2.sub(v1), target, at + 2 * pointStride);
    store(v1.sub(v3), target, at + 3 * pointStride);
  }

  /**
   * A^T m A of {@code count} tiles from {@code first} on, A^T = [1 1 1 0; 0 1 -1 -1], then the
   * epilogue. Tiles at the right and bottom edge may reach over the result; that part is dropped.
   */
  void transformOutput(int first, int count, MemorySegment products, int rows, int row) {
    int channels = out.intDim(3);
    int height = out.intDim(1);
    int width = out.intDim(2);
    long pointStride = (long) rows * channels;
    for (int i = 0; i < count; i++) {
      int y = (first + i) / across() * 2;
      int x = (first + i) % across() * 2;
      boolean right = x + 1 < width;
      boolean below = y + 1 < height;
      long target = ((long) y * width + x) * channels;
      long line = (long) width * channels;
      for (int c = 0; c < channels; c += LANES) {
        long p = (long) (row + i) * channels + c;
        FloatVector a0 = load(products, p);
        FloatVector a1 = load(products, p + pointStride);
        FloatVector a2 = load(products, p + 2 * pointStride);
        FloatVector a3 = load(products, p + 3 * pointStride);
        p += 4 * pointStride;
        FloatVector b0 = load(products, p);
        FloatVector b1 = load(products, p + pointStride);
        FloatVector b2 = load(products, p + 2 * pointStride);
        FloatVector b3 = load(products, p + 3 * pointStride);
        p += 4 * pointStride;
        FloatVector c0 = load(products, p);
        FloatVector c1 = load(products, p + pointStride);
        FloatVector c2 = load(products, p + 2 * pointStride);
        FloatVector c3 = load(products, p + 3 * pointStride);
        p += 4 * pointStride;
        FloatVector d0 = load(products, p);
        FloatVector d1 = load(products, p + pointStride);
        FloatVector d2 = load(products, p + 2 * pointStride);
        FloatVector d3 = load(products, p + 3 * pointStride);
        FloatVector top0 = a0.add(b0).add(c0);
        FloatVector top1 = a1.add(b1).add(c1);
        FloatVector top2 = a2.add(b2).add(c2);
        FloatVector top3 = a3.add(b3).add(c3);
        FloatVector low0 = b0.sub(c0).sub(d0);
        FloatVector low1 = b1.sub(c1).sub(d1);
        FloatVector low2 = b2.sub(c2).sub(d2);
        FloatVector low3 = b3.sub(c3).sub(d3);
        FloatVector shift = load(bias, c);
        finish(top0.add(top1).add(top2).add(shift), target + c);
        if (right) {
          finish(top1.sub(top2).sub(top3).add(shift), target + channels + c);
        }
        if (below) {
          finish(low0.add(low1).add(low2).add(shift), target + line + c);
          if (right) {
            finish(low1.sub(low2).sub(low3).add(shift), target + line + channels + c);
          }
        }
      }
    }
  }

  private void finish(FloatVector value, long at) {
    FloatVector active = value.max(value.mul(slope)).mul(scale);
    store(residual == null ? active : active.add(load(residual, at)), result, at);
  }
}
