package dev.tintype.sampler.ops.cuda;

import static dev.tintype.sampler.ops.cuda.CudaTensors.address;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Shapes;

/** Launches of the elementwise verbs. */
final class CudaPointwise {
  private final Kernels kernels;
  private final CudaTensors tensors;

  CudaPointwise(Kernels kernels, CudaTensors tensors) {
    this.kernels = kernels;
    this.tensors = tensors;
  }

  /** Threads that a kernel with 16-byte accesses has work for. */
  private static long work(Tensor tensor) {
    return Math.ceilDiv(tensor.bytes(), 16);
  }

  Tensor activate(Tensor x, Activation activation) {
    return tensors.produce(
        x.shape(),
        out -> {
          long kernel = kernels.typed("activate");
          kernels
              .arguments()
              .pointer(address(x))
              .pointer(address(out))
              .wide(x.elements())
              .number(activation.ordinal());
          kernels.launchOver(kernel, work(x));
        });
  }

  Tensor scale(Tensor x, float factor) {
    return tensors.produce(
        x.shape(),
        out -> {
          long kernel = kernels.typed("scale");
          kernels
              .arguments()
              .pointer(address(x))
              .pointer(address(out))
              .wide(x.elements())
              .real(factor);
          kernels.launchOver(kernel, work(x));
        });
  }

  Tensor clamp(Tensor x, float low, float high) {
    return tensors.produce(
        x.shape(),
        out -> {
          long kernel = kernels.typed("clamp");
          kernels
              .arguments()
              .pointer(address(x))
              .pointer(address(out))
              .wide(x.elements())
              .real(low)
              .real(high);
          kernels.launchOver(kernel, work(x));
        });
  }

  Tensor combine(float a, Tensor x, float b, Tensor y) {
    Shapes.same(x, y);
    return tensors.produce(
        x.shape(),
        out -> {
          long kernel = kernels.typed("combine");
          kernels
              .arguments()
              .pointer(address(x))
              .pointer(address(y))
              .pointer(address(out))
              .wide(x.elements())
              .real(a)
              .real(b);
          kernels.launchOver(kernel, work(x));
        });
  }

  Tensor geglu(Tensor x) {
    int half = x.shape().intDim(-1) / 2;
    Shapes.channels(x, 2L * half);
    return tensors.produce(x.shape().with(-1, half), out -> geglu(x, out));
  }

  /** Into a tensor of half the channels. */
  void geglu(Tensor x, Tensor out) {
    int half = out.shape().intDim(-1);
    long kernel = kernels.typed("geglu");
    kernels
        .arguments()
        .pointer(address(x))
        .pointer(address(out))
        .wide(out.elements() / half)
        .number(half);
    kernels.launchOver(kernel, work(out));
  }
}
