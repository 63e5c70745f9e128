package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Verbs that move values: copies of runs of channels, split over rows. */
final class NativeLayout {
  /** Bytes copied per task. */
  private static final long TASK_BYTES = 128 * 1024;

  /** What one thread takes, reading and writing, about. */
  private static final double NANOS_PER_BYTE = 0.1;

  /** Side of the squares in which a transposition goes, so that both sides stay in the cache. */
  private static final int TRANSPOSE_TILE = 16;

  /** Copies rows [from, to). */
  private interface Rows {
    void copy(long from, long to);
  }

  private final Engine engine;

  NativeLayout(Engine engine) {
    this.engine = engine;
  }

  private void split(long rows, long rowBytes, Rows loop) {
    long perTask = Math.max(1, TASK_BYTES / Math.max(1, rowBytes));
    engine
        .team()
        .parallel(
            Math.toIntExact((rows + perTask - 1) / perTask),
            rows * rowBytes * NANOS_PER_BYTE,
            task -> loop.copy(task * perTask, Math.min(rows, (task + 1) * perTask)));
  }

  Tensor concatChannels(List<Tensor> parts, Shape shape) {
    Tensor result = engine.workspace().tensor(shape);
    MemorySegment to = result.data();
    long rowBytes = 4 * shape.dim(-1);
    long rows = rowBytes == 0 ? 0 : result.bytes() / rowBytes;
    MemorySegment[] sources = parts.stream().map(Tensor::data).toArray(MemorySegment[]::new);
    long[] widths = parts.stream().mapToLong(part -> 4 * part.shape().dim(-1)).toArray();
    split(
        rows,
        rowBytes,
        (first, last) -> {
          for (long row = first; row < last; row++) {
            long target = row * rowBytes;
            for (int i = 0; i < sources.length; i++) {
              MemorySegment.copy(sources[i], row * widths[i], to, target, widths[i]);
              target += widths[i];
            }
          }
        });
    return result;
  }

  Tensor concatBatch(List<Tensor> parts, Shape shape) {
    Tensor result = engine.workspace().tensor(shape);
    long offset = 0;
    for (Tensor part : parts) {
      MemorySegment.copy(part.data(), 0, result.data(), offset, part.bytes());
      offset += part.bytes();
    }
    return result;
  }

  Tensor sliceChannels(Tensor x, int from, int to) {
    long sourceBytes = 4 * x.shape().dim(-1);
    long rowBytes = 4L * (to - from);
    Tensor result = engine.workspace().tensor(x.shape().with(-1, (long) to - from));
    split(
        rowBytes == 0 ? 0 : result.bytes() / rowBytes,
        rowBytes,
        (first, last) -> {
          for (long row = first; row < last; row++) {
            MemorySegment.copy(
                x.data(), row * sourceBytes + 4L * from, result.data(), row * rowBytes, rowBytes);
          }
        });
    return result;
  }

  Tensor upsampleNearest(Tensor x, int height, int width) {
    Shape in = x.shape();
    Tensor result = engine.workspace().tensor(in.with(1, height).with(2, width));
    long pixel = 4 * in.dim(3);
    MemorySegment from = x.data();
    MemorySegment to = result.data();
    split(
        in.dim(0) * height,
        width * pixel,
        (first, last) -> {
          for (long row = first; row < last; row++) {
            long sourceRow = row / height * in.dim(1) + row % height * in.dim(1) / height;
            long source = sourceRow * in.dim(2) * pixel;
            long target = row * width * pixel;
            boolean asAbove =
                row > first
                    && row % height > 0
                    && row % height * in.dim(1) / height == (row - 1) % height * in.dim(1) / height;
            if (asAbove) {
              MemorySegment.copy(to, target - width * pixel, to, target, width * pixel);
              continue;
            }
            for (long i = 0; i < width; i++) {
              MemorySegment.copy(
                  from, source + i * in.dim(2) / width * pixel, to, target + i * pixel, pixel);
            }
          }
        });
    return result;
  }

  Tensor pixelUnshuffle(Tensor x, int factor, Shape shape) {
    Shape in = x.shape();
    Tensor result = engine.workspace().tensor(shape);
    MemorySegment from = x.data();
    MemorySegment to = result.data();
    long channels = in.dim(3);
    split(
        shape.dim(0) * shape.dim(1),
        4 * shape.dim(2) * shape.dim(3),
        (first, last) -> {
          for (long row = first; row < last; row++) {
            for (long column = 0; column < shape.dim(2); column++) {
              long target = (row * shape.dim(2) + column) * shape.dim(3);
              for (int dy = 0; dy < factor; dy++) {
                for (int dx = 0; dx < factor; dx++) {
                  long pixel = (row * factor + dy) * in.dim(2) + column * factor + dx;
                  for (long c = 0; c < channels; c++) {
                    float value = from.getAtIndex(ValueLayout.JAVA_FLOAT, pixel * channels + c);
                    long o = (c * factor + dy) * factor + dx;
                    to.setAtIndex(ValueLayout.JAVA_FLOAT, target + o, value);
                  }
                }
              }
            }
          }
        });
    return result;
  }

  /** [n, rows, columns] to [n, columns, rows], given the shape of the result. */
  Tensor transpose(Tensor x, long batch, long rows, long columns, Shape shape) {
    Tensor result = engine.workspace().tensor(shape);
    MemorySegment from = x.data();
    MemorySegment to = result.data();
    long tiles = (rows + TRANSPOSE_TILE - 1) / TRANSPOSE_TILE;
    split(
        batch * tiles,
        4 * TRANSPOSE_TILE * columns,
        (first, last) -> {
          for (long tile = first; tile < last; tile++) {
            long n = tile / tiles;
            long begin = tile % tiles * TRANSPOSE_TILE;
            long end = Math.min(rows, begin + TRANSPOSE_TILE);
            for (long c = 0; c < columns; c++) {
              for (long r = begin; r < end; r++) {
                to.setAtIndex(
                    ValueLayout.JAVA_FLOAT,
                    (n * columns + c) * rows + r,
                    from.getAtIndex(ValueLayout.JAVA_FLOAT, (n * rows + r) * columns + c));
              }
            }
          }
        });
    return result;
  }

  Tensor selectTokens(Tensor x, int[] index) {
    long tokens = x.shape().dim(1);
    long bytes = 4 * x.shape().dim(2);
    Tensor result = engine.workspace().tensor(Shape.of(index.length, x.shape().dim(2)));
    for (int n = 0; n < index.length; n++) {
      long source = (n * tokens + index[n]) * bytes;
      MemorySegment.copy(x.data(), source, result.data(), n * bytes, bytes);
    }
    return result;
  }
}
