package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.ops.Conv2dGeometry;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Convolutions of 16-bit values whose channels are no multiple of 8, done as ones that are: kernels
 * on the tensor cores, ours and cuDNN's, read and write 16 bytes at a time. The channels that are
 * added are zero and so are their weights, so that sums are the same.
 */
final class ChannelPadding {
  /** 16-bit values in 16 bytes. */
  private static final int MULTIPLE = 8;

  private static final int ELEMENT_BYTES = Short.BYTES;

  private final CudaMemory memory;
  private final Kernels kernels;

  ChannelPadding(CudaMemory memory, Kernels kernels) {
    this.memory = memory;
    this.kernels = kernels;
  }

  /** The next multiple of 8. */
  static int padded(int channels) {
    return Math.ceilDiv(channels, MULTIPLE) * MULTIPLE;
  }

  static Convolution.Problem padded(Convolution.Problem problem) {
    return problem.withChannels(padded(problem.inChannels()), padded(problem.outChannels()));
  }

  /** Whether a convolution has padded weights beside its own; one pixel's is a linear layer. */
  static boolean isFor(DType dtype, Conv2dGeometry geometry, int in, int out) {
    return dtype.bytes() == ELEMENT_BYTES
        && !geometry.isPointwise()
        && (padded(in) != in || padded(out) != out);
  }

  /**
   * Does a convolution by {@code work} on the {@linkplain #padded padded} problem. Where that has
   * more results, work gets a call without an epilogue, which is done in the pass that drops them.
   */
  void around(Convolution.Problem problem, Convolution.Call call, Consumer<Convolution.Call> work) {
    widened(problem, call, wide -> narrowed(problem, wide, work));
  }

  /** Has {@code work} read padded channels; of its results there are as many as of the problem. */
  void widened(
      Convolution.Problem problem, Convolution.Call call, Consumer<Convolution.Call> work) {
    int channels = problem.inChannels();
    int wide = padded(channels);
    if (wide == channels) {
      work.accept(call.reading(call.x(), call.paddedWeights()));
      return;
    }
    long pixels = (long) problem.samples() * problem.height() * problem.width();
    scratch(
        pixels * wide * ELEMENT_BYTES,
        to -> {
          widen(call.x(), to, pixels, channels, wide);
          work.accept(call.reading(to, call.paddedWeights()));
        });
  }

  private void narrowed(
      Convolution.Problem problem, Convolution.Call call, Consumer<Convolution.Call> work) {
    int channels = problem.outChannels();
    int wide = padded(channels);
    if (wide == channels) {
      work.accept(call);
      return;
    }
    long pixels = problem.outPixels();
    scratch(
        pixels * wide * ELEMENT_BYTES,
        from -> {
          work.accept(call.plainInto(from));
          narrow(from, call, pixels, wide, channels);
        });
  }

  /** Whoever gets the block next comes later on the same stream. */
  private void scratch(long bytes, LongConsumer work) {
    long address = memory.take(bytes);
    try {
      work.accept(address);
    } finally {
      memory.release(address, bytes);
    }
  }

  private void widen(long from, long to, long rows, int channels, int wide) {
    long kernel = kernels.units("widen_rows_b" + ELEMENT_BYTES);
    kernels.arguments().pointer(from).pointer(to).wide(rows).number(channels).number(wide);
    kernels.launchOver(kernel, rows * (wide / MULTIPLE));
  }

  private void narrow(long from, Convolution.Call call, long rows, int wide, int channels) {
    long kernel = kernels.typed("narrow_rows");
    kernels
        .arguments()
        .pointer(from)
        .pointer(call.out())
        .pointer(call.bias())
        .pointer(call.residual())
        .wide(rows)
        .number(wide)
        .number(channels)
        .number(call.activation())
        .real(call.scale());
    kernels.launchOver(kernel, rows * (wide / MULTIPLE));
  }
}
