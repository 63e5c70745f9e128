package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.tintype.sampler.bindings.cudart.Cudart;
import dev.tintype.sampler.bindings.cudart.dim3;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;

/**
 * libcudart through its generated bindings. Out-parameters and launch dimensions live in scratch
 * memory that is allocated once, so a launch allocates nothing; hence one thread at a time.
 */
final class FfmCudaRuntime implements CudaRuntime {
  private static final int BUS_ID_BYTES = 32;

  // cudaDeviceProp: char name[256]; cudaUUID_t uuid (16 bytes); and about 1 KiB more.
  private static final long PROPERTIES_BYTES = 8192;
  private static final long NAME_BYTES = 256;
  private static final long UUID_BYTES = 16;

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment out = arena.allocate(16, 8);
  private final MemorySegment second = out.asSlice(8);
  private final MemorySegment text = arena.allocate(BUS_ID_BYTES);
  private final MemorySegment grid = dim3.allocate(arena);
  private final MemorySegment block = dim3.allocate(arena);

  private static MemorySegment pointer(long address) {
    return MemorySegment.ofAddress(address);
  }

  private int handle(int code, long[] result) {
    result[0] = out.get(JAVA_LONG, 0);
    return code;
  }

  private int number(int code, int[] result) {
    result[0] = out.get(JAVA_INT, 0);
    return code;
  }

  @Override
  public int deviceCount(int[] count) {
    return number(Cudart.cudaGetDeviceCount(out), count);
  }

  @Override
  public int setDevice(int device) {
    return Cudart.cudaSetDevice(device);
  }

  @Override
  public int attribute(int[] value, int attribute, int device) {
    return number(Cudart.cudaDeviceGetAttribute(out, attribute, device), value);
  }

  @Override
  public int identity(String[] nameAndUuid, int device) {
    MethodHandle properties = PropertiesHolder.HANDLE;
    if (properties == null) {
      nameAndUuid[0] = "";
      nameAndUuid[1] = "";
      return 0;
    }
    try (Arena call = Arena.ofConfined()) {
      MemorySegment struct = call.allocate(PROPERTIES_BYTES, 8);
      int code = (int) properties.invokeExact(struct, device);
      nameAndUuid[0] = code == 0 ? struct.getString(0) : "";
      nameAndUuid[1] = code == 0 ? uuid(struct.asSlice(NAME_BYTES, UUID_BYTES)) : "";
      return code;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static String uuid(MemorySegment bytes) {
    String hex = HexFormat.of().formatHex(bytes.toArray(ValueLayout.JAVA_BYTE));
    return "GPU-"
        + String.join(
            "-",
            hex.substring(0, 8),
            hex.substring(8, 12),
            hex.substring(12, 16),
            hex.substring(16, 20),
            hex.substring(20));
  }

  /**
   * cudaGetDeviceProperties is not among the generated bindings: its struct, of which two fields
   * are wanted, grows from version to version. Both have been at its start since CUDA 10.
   */
  private static final class PropertiesHolder {
    static final MethodHandle HANDLE =
        SymbolLookup.loaderLookup()
            .find("cudaGetDeviceProperties")
            .map(
                address ->
                    Linker.nativeLinker()
                        .downcallHandle(
                            address,
                            FunctionDescriptor.of(
                                JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT)))
            .orElse(null);
  }

  @Override
  public int pciBusId(String[] id, int device) {
    int code = Cudart.cudaDeviceGetPCIBusId(text, BUS_ID_BYTES, device);
    id[0] = code == 0 ? text.getString(0) : "";
    return code;
  }

  @Override
  public int versions(int[] driverAndRuntime) {
    int code = Cudart.cudaDriverGetVersion(out);
    driverAndRuntime[0] = out.get(JAVA_INT, 0);
    if (code != 0) {
      return code;
    }
    code = Cudart.cudaRuntimeGetVersion(out);
    driverAndRuntime[1] = out.get(JAVA_INT, 0);
    return code;
  }

  @Override
  public int memoryInfo(long[] freeAndTotal) {
    int code = Cudart.cudaMemGetInfo(out, second);
    freeAndTotal[0] = out.get(JAVA_LONG, 0);
    freeAndTotal[1] = second.get(JAVA_LONG, 0);
    return code;
  }

  @Override
  public int malloc(long[] address, long bytes) {
    return handle(Cudart.cudaMalloc(out, bytes), address);
  }

  @Override
  public int free(long address) {
    return Cudart.cudaFree(pointer(address));
  }

  @Override
  public int copyToDevice(long to, MemorySegment from, long bytes, long stream) {
    return Cudart.cudaMemcpyAsync(
        pointer(to), from, bytes, Cudart.cudaMemcpyHostToDevice(), pointer(stream));
  }

  @Override
  public int copyToHost(MemorySegment to, long from, long bytes, long stream) {
    return Cudart.cudaMemcpyAsync(
        to, pointer(from), bytes, Cudart.cudaMemcpyDeviceToHost(), pointer(stream));
  }

  @Override
  public int copyOnDevice(long to, long from, long bytes, long stream) {
    return Cudart.cudaMemcpyAsync(
        pointer(to), pointer(from), bytes, Cudart.cudaMemcpyDeviceToDevice(), pointer(stream));
  }

  @Override
  public int fill(long to, int value, long bytes, long stream) {
    return Cudart.cudaMemsetAsync(pointer(to), value, bytes, pointer(stream));
  }

  @Override
  public int loadLibrary(long[] library, MemorySegment code) {
    MemorySegment none = MemorySegment.NULL;
    return handle(Cudart.cudaLibraryLoadData(out, code, none, none, 0, none, none, 0), library);
  }

  @Override
  public int unloadLibrary(long library) {
    return Cudart.cudaLibraryUnload(pointer(library));
  }

  @Override
  public int kernel(long[] kernel, long library, String name) {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment text = call.allocateFrom(name);
      return handle(Cudart.cudaLibraryGetKernel(out, pointer(library), text), kernel);
    }
  }

  @Override
  public int launch(
      long kernel,
      int gridX,
      int gridY,
      int gridZ,
      int threads,
      int sharedBytes,
      MemorySegment arguments,
      long stream) {
    dim3.x(grid, gridX);
    dim3.y(grid, gridY);
    dim3.z(grid, gridZ);
    dim3.x(block, threads);
    dim3.y(block, 1);
    dim3.z(block, 1);
    // A cudaKernel_t may stand where a function's address is expected.
    return Cudart.cudaLaunchKernel(
        pointer(kernel), grid, block, arguments, sharedBytes, pointer(stream));
  }

  @Override
  public int createStream(long[] stream) {
    return handle(Cudart.cudaStreamCreateWithFlags(out, Cudart.cudaStreamNonBlocking()), stream);
  }

  @Override
  public int destroyStream(long stream) {
    return Cudart.cudaStreamDestroy(pointer(stream));
  }

  @Override
  public int synchronize(long stream) {
    return Cudart.cudaStreamSynchronize(pointer(stream));
  }

  @Override
  public int queryStream(long stream) {
    return Cudart.cudaStreamQuery(pointer(stream));
  }

  @Override
  public int createEvent(long[] event, boolean timed) {
    int flags = timed ? 0 : Cudart.cudaEventDisableTiming();
    return handle(Cudart.cudaEventCreateWithFlags(out, flags), event);
  }

  @Override
  public int destroyEvent(long event) {
    return Cudart.cudaEventDestroy(pointer(event));
  }

  @Override
  public int recordEvent(long event, long stream) {
    return Cudart.cudaEventRecord(pointer(event), pointer(stream));
  }

  @Override
  public int queryEvent(long event) {
    return Cudart.cudaEventQuery(pointer(event));
  }

  @Override
  public int elapsedMs(float[] ms, long start, long end) {
    int code = Cudart.cudaEventElapsedTime(out, pointer(start), pointer(end));
    ms[0] = out.get(JAVA_FLOAT, 0);
    return code;
  }

  @Override
  public int beginCapture(long stream) {
    // Relaxed: a recording may allocate memory, which the other modes forbid.
    return Cudart.cudaStreamBeginCapture(pointer(stream), Cudart.cudaStreamCaptureModeRelaxed());
  }

  @Override
  public int endCapture(long[] graph, long stream) {
    return handle(Cudart.cudaStreamEndCapture(pointer(stream), out), graph);
  }

  @Override
  public int instantiate(long[] executable, long graph) {
    return handle(Cudart.cudaGraphInstantiate(out, pointer(graph), 0), executable);
  }

  @Override
  public int launchGraph(long executable, long stream) {
    return Cudart.cudaGraphLaunch(pointer(executable), pointer(stream));
  }

  @Override
  public int destroyGraph(long graph) {
    return Cudart.cudaGraphDestroy(pointer(graph));
  }

  @Override
  public int destroyExecutable(long executable) {
    return Cudart.cudaGraphExecDestroy(pointer(executable));
  }

  @Override
  public String errorName(int code) {
    return string(Cudart.cudaGetErrorName(code));
  }

  @Override
  public String errorText(int code) {
    return string(Cudart.cudaGetErrorString(code));
  }

  private static String string(MemorySegment pointer) {
    return pointer.address() == 0 ? "" : pointer.reinterpret(Long.MAX_VALUE).getString(0);
  }
}
