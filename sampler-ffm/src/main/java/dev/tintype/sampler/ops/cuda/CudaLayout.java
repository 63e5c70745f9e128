package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Shapes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Launches of what moves values without looking at them. */
final class CudaLayout {
  private static final int TRANSPOSE_TILE = 32;

  private final Cuda cuda;
  private final Kernels kernels;
  private final CudaTensors tensors;

  CudaLayout(Cuda cuda, Kernels kernels, CudaTensors tensors) {
    this.cuda = cuda;
    this.kernels = kernels;
    this.tensors = tensors;
  }

  /** The widest unit in which all these addresses and extents, in bytes, are whole. */
  private static int unit(int elementBytes, long... bytes) {
    for (long value : bytes) {
      if (value % 16 != 0) {
        return elementBytes;
      }
    }
    return 16;
  }

  private void copyRows(
      long from, long to, long rows, long rowBytes, long fromStride, long toStride, int element) {
    if (rows == 0 || rowBytes == 0) {
      return;
    }
    int unit = unit(element, from, to, rowBytes, fromStride, toStride);
    long kernel = kernels.units("copy_rows_b" + unit);
    kernels
        .arguments()
        .pointer(from)
        .pointer(to)
        .wide(rows)
        .number(Math.toIntExact(rowBytes / unit))
        .number(Math.toIntExact(fromStride / unit))
        .number(Math.toIntExact(toStride / unit));
    kernels.launchOver(kernel, rows * (rowBytes / unit));
  }

  Tensor concatChannels(List<Tensor> parts) {
    return tensors.produce(
        Shapes.joined(parts, -1),
        out -> {
          int element = out.dtype().bytes();
          long stride = out.shape().dim(-1) * element;
          long rows = stride == 0 ? 0 : out.bytes() / stride;
          long offset = 0;
          for (Tensor part : parts) {
            long bytes = part.shape().dim(-1) * element;
            copyRows(address(part), address(out) + offset, rows, bytes, bytes, stride, element);
            offset += bytes;
          }
        });
  }

  Tensor concatBatch(List<Tensor> parts) {
    return tensors.produce(
        Shapes.joined(parts, 0),
        out -> {
          long offset = 0;
          for (Tensor part : parts) {
            if (part.bytes() > 0) {
              cuda.copyOnDevice(address(out) + offset, address(part), part.bytes());
            }
            offset += part.bytes();
          }
        });
  }

  Tensor sliceChannels(Tensor x, int from, int to) {
    Shapes.require(
        from >= 0 && from <= to && to <= x.shape().dim(-1), "slice " + from + ".." + to, x);
    return tensors.produce(
        x.shape().with(-1, (long) to - from),
        out -> {
          int element = x.dtype().bytes();
          long stride = x.shape().dim(-1) * element;
          long bytes = (long) (to - from) * element;
          long rows = stride == 0 ? 0 : x.bytes() / stride;
          copyRows(
              address(x) + (long) from * element,
              address(out),
              rows,
              bytes,
              stride,
              bytes,
              element);
        });
  }

  Tensor upsampleNearest(Tensor x, int height, int width) {
    Shapes.image(x);
    return tensors.produce(
        x.shape().with(1, height).with(2, width),
        out -> {
          long bytes = x.shape().dim(3) * x.dtype().bytes();
          int unit = unit(x.dtype().bytes(), address(x), address(out), bytes);
          long kernel = kernels.units("upsample_b" + unit);
          kernels
              .arguments()
              .pointer(address(x))
              .pointer(address(out))
              .wide(x.shape().dim(0))
              .number(x.shape().intDim(1))
              .number(x.shape().intDim(2))
              .number(Math.toIntExact(bytes / unit))
              .number(height)
              .number(width);
          kernels.launchOver(kernel, out.bytes() / unit);
        });
  }

  Tensor pixelUnshuffle(Tensor x, int factor) {
    return tensors.produce(
        Shapes.unshuffled(x, factor),
        out -> {
          long kernel = kernels.units("pixel_unshuffle_b" + x.dtype().bytes());
          kernels
              .arguments()
              .pointer(address(x))
              .pointer(address(out))
              .wide(x.shape().dim(0))
              .number(x.shape().intDim(1))
              .number(x.shape().intDim(2))
              .number(x.shape().intDim(3))
              .number(factor);
          kernels.launchOver(kernel, out.elements());
        });
  }

  Tensor toNchw(Tensor x) {
    Shapes.image(x);
    Shape in = x.shape();
    Shape out = Shape.of(in.dim(0), in.dim(3), in.dim(1), in.dim(2));
    return transpose(x, in.dim(1) * in.dim(2), in.dim(3), out);
  }

  Tensor toNhwc(Tensor x) {
    Shapes.image(x);
    Shape in = x.shape();
    Shape out = Shape.of(in.dim(0), in.dim(2), in.dim(3), in.dim(1));
    return transpose(x, in.dim(1), in.dim(2) * in.dim(3), out);
  }

  /** [batch, rows, columns] to [batch, columns, rows]. */
  private Tensor transpose(Tensor x, long rows, long columns, Shape shape) {
    return tensors.produce(
        shape,
        out -> {
          long tiles = Math.ceilDiv(rows, TRANSPOSE_TILE) * Math.ceilDiv(columns, TRANSPOSE_TILE);
          long kernel = kernels.units("transpose_b" + x.dtype().bytes());
          kernels
              .arguments()
              .pointer(address(x))
              .pointer(address(out))
              .number(Math.toIntExact(rows))
              .number(Math.toIntExact(columns));
          kernels.launch(kernel, tiles, 1, x.shape().dim(0), Kernels.THREADS, 0);
        });
  }

  /** Rows of {@code channels} values each, by index, from a table at an address. */
  Tensor gather(long table, int[] rows, int channels, Shape shape) {
    return tensors.produce(
        shape,
        out -> {
          int element = out.dtype().bytes();
          long bytes = (long) channels * element;
          int unit = unit(element, table, address(out), bytes);
          try (Arena arena = Arena.ofConfined();
              Tensor index =
                  tensors.parameters(
                      arena.allocateFrom(ValueLayout.JAVA_INT, rows), DType.I32, rows.length)) {
            long kernel = kernels.units("gather_rows_b" + unit);
            kernels
                .arguments()
                .pointer(table)
                .pointer(index.data().address())
                .pointer(address(out))
                .wide(rows.length)
                .number(Math.toIntExact(bytes / unit));
            kernels.launchOver(kernel, rows.length * (bytes / unit));
          }
        });
  }

  /** A view of host numbers, for callers that build them. */
  static MemorySegment longs(Arena arena, long[] values) {
    return arena.allocateFrom(ValueLayout.JAVA_LONG, values);
  }
}
