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
    Tensor out = tensors.allocate(x.shape());
    long kernel = kernels.typed("activate");
    kernels
        .arguments()
        .pointer(address(x))
        .pointer(address(out))
        .wide(x.elements())
        .number(activation.ordinal());
    kernels.launchOver(kernel, work(x));
    return out;
  }

  Tensor scale(Tensor x, float factor) {
    Tensor out = tensors.allocate(x.shape());
    long kernel = kernels.typed("scale");
    kernels.arguments().pointer(address(x)).pointer(address(out)).wide(x.elements()).real(factor);
    kernels.launchOver(kernel, work(x));
    return out;
  }

  Tensor clamp(Tensor x, float low, float high) {
    Tensor out = tensors.allocate(x.shape());
    long kernel = kernels.typed("clamp");
    kernels
        .arguments()
        .pointer(address(x))
        .pointer(address(out))
        .wide(x.elements())
        .real(low)
        .real(high);
    kernels.launchOver(kernel, work(x));
    return out;
  }

  Tensor combine(float a, Tensor x, float b, Tensor y) {
    Shapes.same(x, y);
    Tensor out = tensors.allocate(x.shape());
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
    return out;
  }

  Tensor geglu(Tensor x) {
    int half = x.shape().intDim(-1) / 2;
    Shapes.channels(x, 2L * half);
    Tensor out = tensors.allocate(x.shape().with(-1, half));
    long kernel = kernels.typed("geglu");
    kernels
        .arguments()
        .pointer(address(x))
        .pointer(address(out))
        .wide(out.elements() / half)
        .number(half);
    kernels.launchOver(kernel, work(out));
    return out;
  }
}
