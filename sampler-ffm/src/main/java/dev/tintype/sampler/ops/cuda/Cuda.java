package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DeviceException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * One GPU and one stream on it, with every return code checked. After a sticky error it refuses all
 * further calls with that error, since CUDA would answer nonsense. Every wait for the GPU has a
 * deadline: a kernel that hangs is a sticky error too.
 */
final class Cuda implements AutoCloseable {
  private static final int SUCCESS = 0;
  private static final int NOT_READY = 600;

  /** Far beyond the longest honest work, some seconds; -Dtintype.cuda.timeout.seconds. */
  private static final int WAIT_SECONDS_MAX = 120;

  /**
   * A wait up to this is spent asking again and again: a step is that short, and latency counts.
   */
  private static final long SPIN_NANOS = 200_000_000;

  private static final long POLL_NANOS = 500_000;

  private final CudaRuntime runtime;
  private final int device;
  private final long stream;
  private final LongSupplier clock;
  private final long waitNanosMax;
  private CudaException lost;
  private boolean capturing;
  private int plansGivenUp;

  /** The thread whose current device is ours: CUDA keeps that per thread. */
  private Thread bound;

  Cuda(CudaRuntime runtime, int device) {
    this(
        runtime,
        device,
        System::nanoTime,
        1_000_000_000L * Integer.getInteger("tintype.cuda.timeout.seconds", WAIT_SECONDS_MAX));
  }

  /**
   * @param clock nanoseconds
   * @param waitNanosMax of one wait for the GPU
   */
  Cuda(CudaRuntime runtime, int device, LongSupplier clock, long waitNanosMax) {
    this.runtime = runtime;
    this.device = device;
    this.clock = clock;
    this.waitNanosMax = waitNanosMax;
    bind();
    long[] created = new long[1];
    check(runtime.createStream(created), "cudaStreamCreateWithFlags");
    this.stream = created[0];
  }

  CudaRuntime runtime() {
    return runtime;
  }

  /**
   * Makes this GPU the calling thread's. To be called before other calls wherever the thread may be
   * another than last time: they go to the thread's GPU, which is the first one to begin with.
   */
  void bind() {
    Thread current = Thread.currentThread();
    if (bound != current) {
      check(runtime.setDevice(device), "cudaSetDevice", device);
      bound = current;
    }
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
    bind();
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
    // A replay would read the host's memory again, which is not there any more.
    requireLaunching("copied to the GPU");
    int code = runtime.copyToDevice(to, from, bytes, stream);
    if (failed(code)) {
      check(code, "cudaMemcpyAsync", hex(to), bytes);
    }
  }

  /** True for a code that {@link #check} would throw for: spares the words of its arguments. */
  private boolean failed(int code) {
    return code != SUCCESS || lost != null;
  }

  /**
   * To be called before what a recording does not survive: the driver would end it, with an error
   * that does not say why.
   */
  private void requireLaunching(String what) {
    if (capturing) {
      throw new DeviceException(
          DeviceException.FAILED, "nothing can be " + what + " while a graph is recorded");
    }
  }

  /** From now on work is recorded, not done, until {@link #endCapture}. */
  void beginCapture() {
    bind();
    check(runtime.beginCapture(stream), "cudaStreamBeginCapture");
    capturing = true;
  }

  /** The graph of what was recorded. */
  long endCapture() {
    capturing = false;
    long[] graph = new long[1];
    check(runtime.endCapture(graph, stream), "cudaStreamEndCapture");
    return graph[0];
  }

  /** Ends a recording that failed, so that the stream can be used again; its error says less. */
  void abandonCapture() {
    capturing = false;
    long[] graph = new long[1];
    if (runtime.endCapture(graph, stream) == SUCCESS && graph[0] != 0) {
      runtime.destroyGraph(graph[0]);
    }
  }

  /** Waits until the bytes are there. */
  void copyToHost(MemorySegment to, long from, long bytes) {
    // The copy itself would wait without a deadline.
    synchronize();
    check(runtime.copyToHost(to, from, bytes, stream), "cudaMemcpyAsync", hex(from), bytes);
    synchronize();
  }

  void copyOnDevice(long to, long from, long bytes) {
    int code = runtime.copyOnDevice(to, from, bytes, stream);
    if (failed(code)) {
      check(code, "cudaMemcpyAsync", hex(to), hex(from), bytes);
    }
  }

  void zero(long to, long bytes) {
    int code = runtime.fill(to, 0, bytes, stream);
    if (failed(code)) {
      check(code, "cudaMemsetAsync", hex(to), bytes);
    }
  }

  /**
   * Waits until all work handed over is done.
   *
   * @throws CudaException {@code device.timeout}, sticky, when that takes too long
   */
  void synchronize() {
    requireLaunching("waited for");
    bind();
    await("cudaStreamQuery", () -> runtime.queryStream(stream));
    // All is done; this one tells of errors that a query keeps to itself.
    check(runtime.synchronize(stream), "cudaStreamSynchronize");
  }

  /**
   * Waits until the work before an event is done; what was handed over later may go on.
   *
   * @throws CudaException as {@link #synchronize}
   */
  void await(long event) {
    requireLaunching("waited for");
    bind();
    await("cudaEventQuery", () -> runtime.queryEvent(event));
  }

  private void await(String call, IntSupplier query) {
    long begun = clock.getAsLong();
    for (int code = query.getAsInt(); code != SUCCESS; code = query.getAsInt()) {
      if (code != NOT_READY) {
        check(code, call);
      }
      long waited = clock.getAsLong() - begun;
      if (waited > waitNanosMax) {
        lost = CudaException.hung(waitNanosMax / 1_000_000_000);
        throw lost;
      }
      if (waited < SPIN_NANOS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(POLL_NANOS);
      }
    }
  }

  /**
   * To be called before a library's plan is destroyed, and its kernels with it: waits until none of
   * them is running. Graphs recorded until now may hold them and are stale from here on.
   */
  void givePlanUp() {
    plansGivenUp++;
    if (lost == null) {
      synchronize();
    }
  }

  int plansGivenUp() {
    return plansGivenUp;
  }

  /**
   * @param timed for {@link #elapsedMs}
   */
  long createEvent(boolean timed) {
    long[] event = new long[1];
    check(runtime.createEvent(event, timed), "cudaEventCreateWithFlags");
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
    // The events are the stream's last work, so that waiting for it is waiting for them.
    synchronize();
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
