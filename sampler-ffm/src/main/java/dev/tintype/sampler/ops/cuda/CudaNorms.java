package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import dev.tintype.sampler.ops.Shapes;
import java.util.Optional;

/** Launches of GroupNorm and LayerNorm. */
final class CudaNorms {
  /** Pixels of a chunk at least: fewer would spend more on merging than on reading. */
  private static final int CHUNK_PIXELS_MIN = 16;

  /**
   * Chunks of a sample at most: each block of the second kernel reads and merges them all, 32 lanes
   * at a time. 64 of two samples occupy every multiprocessor of an H100.
   */
  private static final int CHUNKS_MAX = 64;

  /** Pixels a block of the second kernel normalises. */
  private static final int BLOCK_PIXELS = 32;

  /** Three fp32 arrays of channels must fit into 48 KiB of shared memory. */
  static final int CHANNELS_MAX = 4096;

  /** What fits into the shared memory that every block may have, beside 384 bytes of sums. */
  private static final int SMALL_BYTES_MAX = 47 * 1024;

  private static final int WORD_BYTES = 4;

  private static final int LAYER_THREADS = 128;
  private static final int LAYER_ROWS_PER_BLOCK = LAYER_THREADS / 32;
  private static final int LAYER_BLOCKS_MAX = 65_536;

  private final Kernels kernels;
  private final CudaTensors tensors;

  CudaNorms(Kernels kernels, CudaTensors tensors) {
    this.kernels = kernels;
    this.tensors = tensors;
  }

  Tensor group(
      Tensor x,
      Optional<ChannelBias> bias,
      CudaWeights.Norm weights,
      int groups,
      float epsilon,
      Activation activation) {
    Biased input = Biased.of(x, bias);
    int channels = weights.channels();
    Shapes.require(channels <= CHANNELS_MAX, "more than " + CHANNELS_MAX + " channels", x);
    int samples = x.shape().intDim(0);
    int pixels = Math.toIntExact(x.elements() / samples / channels);
    int groupBytes = channels / groups * x.dtype().bytes();
    if (groupBytes % WORD_BYTES == 0 && (long) groupBytes * pixels <= SMALL_BYTES_MAX) {
      return tensors.produce(
          x.shape(),
          out -> small(input, out, weights, samples, pixels, groups, epsilon, activation));
    }
    int chunkPixels = Math.max(CHUNK_PIXELS_MIN, Math.ceilDiv(pixels, CHUNKS_MAX));
    int chunks = Math.ceilDiv(pixels, chunkPixels);
    return tensors.produce(
        x.shape(),
        out ->
            large(
                input,
                out,
                weights,
                new Chunks(samples, pixels, chunks, chunkPixels),
                groups,
                epsilon,
                activation));
  }

  /**
   * What is normalised.
   *
   * @param bias address of the first item's, 0 for none
   * @param stride elements to the next item's
   */
  private record Biased(Tensor x, long bias, int stride) {
    static Biased of(Tensor x, Optional<ChannelBias> bias) {
      return bias.map(
              b -> {
                long column = (long) b.from() * b.rows().dtype().bytes();
                return new Biased(x, address(b.rows()) + column, b.stride());
              })
          .orElse(new Biased(x, 0, 0));
    }

    /** The first parameters of all kernels. */
    KernelArguments in(KernelArguments arguments) {
      return arguments.pointer(address(x)).pointer(bias).number(stride);
    }
  }

  /** How a sample is cut for the two kernels: pixels of all, number and pixels of chunks. */
  private record Chunks(int samples, int pixels, int chunks, int chunkPixels) {}

  /** In two kernels: moments of each chunk, then merged and applied. */
  private void large(
      Biased input,
      Tensor out,
      CudaWeights.Norm weights,
      Chunks cut,
      int groups,
      float epsilon,
      Activation activation) {
    int channels = weights.channels();
    int samples = cut.samples();
    int pixels = cut.pixels();
    int chunks = cut.chunks();
    int chunkPixels = cut.chunkPixels();
    int vector = 16 / input.x().dtype().bytes();
    try (Tensor partial = tensors.allocate(Shape.of(samples, chunks, groups, 2), DType.F32)) {
      long moments = kernels.typed("group_norm_moments");
      input
          .in(kernels.arguments())
          .pointer(address(partial))
          .number(pixels)
          .number(channels)
          .number(groups)
          .number(chunkPixels);
      long momentsShared = 4L * (2 * channels + 2 * Kernels.THREADS * vector);
      kernels.launch(moments, chunks, samples, 1, Kernels.THREADS, momentsShared);
      long apply = kernels.typed("group_norm_apply");
      input
          .in(kernels.arguments())
          .pointer(address(out))
          .pointer(address(partial))
          .pointer(weights.scale())
          .pointer(weights.shift())
          .number(pixels)
          .number(channels)
          .number(groups)
          .number(chunks)
          .number(chunkPixels)
          .number(BLOCK_PIXELS)
          .real(epsilon)
          .number(activation.ordinal());
      kernels.launch(
          apply, Math.ceilDiv(pixels, BLOCK_PIXELS), samples, 1, Kernels.THREADS, 12L * channels);
    }
  }

  /** In one kernel, a block for each group of each sample. */
  private void small(
      Biased input,
      Tensor out,
      CudaWeights.Norm weights,
      int samples,
      int pixels,
      int groups,
      float epsilon,
      Activation activation) {
    int channels = weights.channels();
    int bytes = channels / groups * input.x().dtype().bytes() * pixels;
    long kernel = kernels.typed("group_norm_small");
    input
        .in(kernels.arguments())
        .pointer(address(out))
        .pointer(weights.scale())
        .pointer(weights.shift())
        .number(pixels)
        .number(channels)
        .number(groups)
        .real(epsilon)
        .number(activation.ordinal());
    kernels.launch(kernel, groups, samples, 1, smallThreads(bytes / WORD_BYTES), bytes);
  }

  /** Eight words a thread or so: enough loads under way, and few idle. */
  private static int smallThreads(int words) {
    return words >= 8192 ? 1024 : words >= 2048 ? 512 : words >= 512 ? 256 : 64;
  }

  Tensor layer(Tensor x, CudaWeights.Norm weights, float epsilon) {
    return tensors.produce(x.shape(), out -> layer(x, out, weights, epsilon));
  }

  private void layer(Tensor x, Tensor out, CudaWeights.Norm weights, float epsilon) {
    int columns = weights.channels();
    long rows = x.elements() / columns;
    long kernel = kernels.typed("layer_norm");
    kernels
        .arguments()
        .pointer(address(x))
        .pointer(address(out))
        .pointer(weights.scale())
        .pointer(weights.shift())
        .wide(rows)
        .number(columns)
        .real(epsilon);
    long blocks = Math.clamp(Math.ceilDiv(rows, LAYER_ROWS_PER_BLOCK), 1, LAYER_BLOCKS_MAX);
    kernels.launch(kernel, blocks, 1, 1, LAYER_THREADS, 0);
  }
}
