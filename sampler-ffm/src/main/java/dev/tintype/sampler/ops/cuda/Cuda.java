package dev.tintype.sampler.ops.cuda;

import java.lang.foreign.MemorySegment;

/**
 * One GPU and one stream on it, with every return code checked. After a sticky error it refuses all
 * further calls with that error, since CUDA would answer nonsense.
 */
final class Cuda implements AutoCloseable {
  private final CudaRuntime runtime;
  private final long stream;
  private CudaException lost;

  Cuda(CudaRuntime runtime, int device) {
    this.runtime = runtime;
    check(runtime.setDevice(device), "cudaSetDevice", device);
    long[] created = new long[1];
    check(runtime.createStream(created), "cudaStreamCreateWithFlags");
    this.stream = created[0];
  }

  CudaRuntime runtime() {
    return runtime;
  }

  /** The handle that cuDNN and cublasLt are given. */
  long stream() {
    return stream;
  }

  void check(int code, String call, Object... arguments) {
    if (lost != null) {
      throw lost;
    }
    if (code != 0) {
      CudaException failure = failure(runtime, code, call, arguments);
      if (failure.isSticky()) {
        lost = failure;
      }
      throw failure;
    }
  }

  /** True after a sticky error: nothing can or need be given back any more. */
  boolean isLost() {
    return lost != null;
  }

  static CudaException failure(CudaRuntime runtime, int code, String call, Object... arguments) {
    return CudaException.ofRuntime(
        code, runtime.errorName(code), runtime.errorText(code), call, arguments);
  }

  /** Device address of new memory. */
  long malloc(long bytes) {
    long[] address = new long[1];
    check(runtime.malloc(address, bytes), "cudaMalloc", bytes);
    return address[0];
  }

  /** Gives memory back; after a sticky error the process's end does that. */
  void free(long address) {
    if (lost == null) {
      check(runtime.free(address), "cudaFree", hex(address));
    }
  }

  void copyToDevice(long to, MemorySegment from, long bytes) {
    check(runtime.copyToDevice(to, from, bytes, stream), "cudaMemcpyAsync", hex(to), bytes);
  }

  /** Waits until the bytes are there. */
  void copyToHost(MemorySegment to, long from, long bytes) {
    check(runtime.copyToHost(to, from, bytes, stream), "cudaMemcpyAsync", hex(from), bytes);
    synchronize();
  }

  void copyOnDevice(long to, long from, long bytes) {
    check(
        runtime.copyOnDevice(to, from, bytes, stream),
        "cudaMemcpyAsync",
        hex(to),
        hex(from),
        bytes);
  }

  void zero(long to, long bytes) {
    check(runtime.fill(to, 0, bytes, stream), "cudaMemsetAsync", hex(to), bytes);
  }

  void synchronize() {
    check(runtime.synchronize(stream), "cudaStreamSynchronize");
  }

  long createEvent() {
    long[] event = new long[1];
    check(runtime.createEvent(event), "cudaEventCreateWithFlags");
    return event[0];
  }

  void destroyEvent(long event) {
    if (lost == null) {
      check(runtime.destroyEvent(event), "cudaEventDestroy");
    }
  }

  void record(long event) {
    check(runtime.recordEvent(event, stream), "cudaEventRecord");
  }

  /** Milliseconds between two recorded events; waits for the second. */
  float elapsedMs(long start, long end) {
    check(runtime.synchronizeEvent(end), "cudaEventSynchronize");
    float[] ms = new float[1];
    check(runtime.elapsedMs(ms, start, end), "cudaEventElapsedTime");
    return ms[0];
  }

  static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  @Override
  public void close() {
    if (lost == null) {
      check(runtime.destroyStream(stream), "cudaStreamDestroy");
    }
  }
}
