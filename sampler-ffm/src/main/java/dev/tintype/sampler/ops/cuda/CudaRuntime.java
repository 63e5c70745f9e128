package dev.tintype.sampler.ops.cuda;

import java.lang.foreign.MemorySegment;

/**
 * The calls of the CUDA runtime that the engine uses, one method per call. Every method returns
 * CUDA's own code, 0 for success; results come in the first array. Device addresses and handles are
 * plain numbers. Checking is done above, in {@link Cuda}, so that errors can be injected below it.
 */
interface CudaRuntime {
  int deviceCount(int[] count);

  int setDevice(int device);

  /** One of the cudaDeviceAttr numbers. */
  int attribute(int[] value, int attribute, int device);

  /** The card's name, such as NVIDIA H100 80GB HBM3, and its UUID as nvidia-smi writes it. */
  int identity(String[] nameAndUuid, int device);

  /** For example 0000:3B:00.0. */
  int pciBusId(String[] id, int device);

  /** Versions of the driver and of the runtime as CUDA counts them: 13000 is 13.0. */
  int versions(int[] driverAndRuntime);

  /** Bytes. */
  int memoryInfo(long[] freeAndTotal);

  int malloc(long[] address, long bytes);

  int free(long address);

  /** From pageable host memory, which may be reused as soon as the call returns. */
  int copyToDevice(long to, MemorySegment from, long bytes, long stream);

  /** Into pageable host memory; complete only after {@link #synchronize}. */
  int copyToHost(MemorySegment to, long from, long bytes, long stream);

  int copyOnDevice(long to, long from, long bytes, long stream);

  int fill(long to, int value, long bytes, long stream);

  int loadLibrary(long[] library, MemorySegment code);

  int unloadLibrary(long library);

  int kernel(long[] kernel, long library, String name);

  /** {@code arguments}: pointers to the values, in the order of the kernel's parameters. */
  int launch(
      long kernel,
      int gridX,
      int gridY,
      int gridZ,
      int threads,
      int sharedBytes,
      MemorySegment arguments,
      long stream);

  int createStream(long[] stream);

  int destroyStream(long stream);

  int synchronize(long stream);

  /** 0 when all work of the stream is done, 600 (cudaErrorNotReady) while it is not. */
  int queryStream(long stream);

  /**
   * @param timed for {@link #elapsedMs}; else only asked whether it has passed, which costs less
   */
  int createEvent(long[] event, boolean timed);

  int destroyEvent(long event);

  int recordEvent(long event, long stream);

  /** 0 when the work before the event is done, 600 (cudaErrorNotReady) while it is not. */
  int queryEvent(long event);

  int elapsedMs(float[] ms, long start, long end);

  int beginCapture(long stream);

  int endCapture(long[] graph, long stream);

  int instantiate(long[] executable, long graph);

  int launchGraph(long executable, long stream);

  int destroyGraph(long graph);

  int destroyExecutable(long executable);

  /** CUDA's name of a code, for example cudaErrorMemoryAllocation. */
  String errorName(int code);

  /** CUDA's own sentence for a code. */
  String errorText(int code);
}
