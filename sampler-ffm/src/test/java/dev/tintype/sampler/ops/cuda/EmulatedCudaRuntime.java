package dev.tintype.sampler.ops.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A GPU that is not there: memory is the host's, kernels are our own bodies compiled by g++ and run
 * on the CPU (sampler-native/src/main/emulator). New memory is filled with NaN. Any call can be
 * made to fail, once or for ever, with any of CUDA's codes.
 */
final class EmulatedCudaRuntime implements CudaRuntime {
  static final Path LIBRARY =
      Path.of("../sampler-native/target/native/libtintype-emulator.so").toAbsolutePath();

  /** Our own kernels for everything, without a fatbin: the emulator has its own. */
  static final CudaDevice.Libraries LIBRARIES =
      new CudaDevice.Libraries() {
        @Override
        public byte[] kernels() {
          return new byte[16];
        }
      };

  private static final int SUCCESS = 0;
  private static final int INVALID_VALUE = 1;
  private static final int MEMORY_ALLOCATION = 2;
  private static final int SYMBOL_NOT_FOUND = 500;
  private static final int NOT_READY = 600;
  private static final int CAPTURE_UNSUPPORTED = 900;
  private static final int CAPTURE_INVALIDATED = 901;

  private final Map<Long, Arena> blocks = new HashMap<>();
  private final Map<Long, Long> sizes = new HashMap<>();
  private final Map<String, Integer> failures = new HashMap<>();
  private final Map<String, Integer> repeats = new HashMap<>();
  private final Map<String, Integer> calls = new HashMap<>();
  private final Map<Long, List<Runnable>> graphs = new HashMap<>();
  private final Map<Long, List<Runnable>> executables = new HashMap<>();
  private List<Runnable> recorded = new ArrayList<>();
  private final List<Float> elapsed = new ArrayList<>();
  private final ThreadLocal<Integer> current = ThreadLocal.withInitial(() -> 0);
  private int deviceOfLastMalloc;
  private String failing = "";
  private int failingAfter;
  private int failingCode;
  private boolean hung;
  private boolean recording;

  /** A call that a recording does not survive was made during it. */
  private boolean invalidated;

  private long handles = 100;

  private long nextEvent = 1000;

  /** Those alive, and whether they were recorded. */
  private final Map<Long, Boolean> events = new HashMap<>();

  private final List<Long> eventsAsked = new ArrayList<>();
  private int sticky;
  private long bytesTotal = 16L << 30;
  private long bytesTaken;
  private int capability = 90;
  private int devices = 1;
  private Machine machine;

  /** The emulator's entry points. */
  private record Machine(MethodHandle find, MethodHandle launch, MethodHandle names) {
    static Machine load() {
      Linker linker = Linker.nativeLinker();
      SymbolLookup symbols = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
      return new Machine(
          linker.downcallHandle(
              symbols.findOrThrow("tt_emulator_kernel"), FunctionDescriptor.of(ADDRESS, ADDRESS)),
          linker.downcallHandle(
              symbols.findOrThrow("tt_emulator_launch"),
              FunctionDescriptor.of(
                  JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS)),
          linker.downcallHandle(
              symbols.findOrThrow("tt_emulator_names"),
              FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT)));
    }
  }

  static boolean isPresent() {
    return Files.exists(LIBRARY);
  }

  private Machine machine() {
    if (machine == null) {
      machine = Machine.load();
    }
    return machine;
  }

  /** The kernels that the emulator has. */
  static List<String> kernelNames() throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      int bytes = 1 << 16;
      MemorySegment buffer = arena.allocate(bytes);
      int length = (int) Machine.load().names().invokeExact(buffer, bytes);
      byte[] text = buffer.asSlice(0, length).toArray(JAVA_BYTE);
      return new String(text, StandardCharsets.US_ASCII).lines().toList();
    }
  }

  EmulatedCudaRuntime withMemory(long bytes) {
    bytesTotal = bytes;
    return this;
  }

  EmulatedCudaRuntime withCapability(int value) {
    capability = value;
    return this;
  }

  EmulatedCudaRuntime withDevices(int count) {
    devices = count;
    return this;
  }

  /** The next call of that name answers with that code, and does nothing. */
  EmulatedCudaRuntime failNext(String call, int code) {
    failures.put(call, code);
    return this;
  }

  /** As {@link #failNext(String, int)}, that many times. */
  EmulatedCudaRuntime failNext(String call, int code, int times) {
    repeats.put(call, times - 1);
    return failNext(call, code);
  }

  /** That many calls of that name succeed, and then none does until {@link #heal}. */
  EmulatedCudaRuntime failAfter(String call, int successes, int code) {
    failing = call;
    failingAfter = count(call) + successes;
    failingCode = code;
    return this;
  }

  /** Ends {@link #failAfter}. */
  EmulatedCudaRuntime heal() {
    failing = "";
    return this;
  }

  /** From now on, no work ends. */
  EmulatedCudaRuntime hang() {
    hung = true;
    return this;
  }

  /** The GPU of the last block of memory: that of the thread that asked. */
  int deviceOfLastMalloc() {
    return deviceOfLastMalloc;
  }

  /** How often a call was made. */
  int count(String call) {
    return calls.getOrDefault(call, 0);
  }

  /** Created and not destroyed. */
  int eventsAlive() {
    return events.size();
  }

  /** Which events were asked about, in that order. */
  List<Long> eventsAsked() {
    return List.copyOf(eventsAsked);
  }

  /** Bytes allocated and not freed. */
  long bytesTaken() {
    return bytesTaken;
  }

  private int begin(String call) {
    calls.merge(call, 1, Integer::sum);
    if (sticky != 0) {
      return sticky;
    }
    if (call.equals(failing) && count(call) > failingAfter) {
      return failingCode;
    }
    Integer code = failures.remove(call);
    if (code == null) {
      return SUCCESS;
    }
    int more = repeats.getOrDefault(call, 0);
    repeats.remove(call);
    if (more > 0) {
      failNext(call, code, more);
    }
    if ((code >= 700 && code < 800) || code == 214) {
      sticky = code;
    }
    return code;
  }

  private int enqueue(String call, Runnable work) {
    int code = begin(call);
    if (code == SUCCESS) {
      if (recording) {
        recorded.add(work);
      } else {
        work.run();
      }
    }
    return code;
  }

  private static MemorySegment memory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  @Override
  public int deviceCount(int[] count) {
    count[0] = devices;
    return begin("cudaGetDeviceCount");
  }

  @Override
  public int setDevice(int device) {
    current.set(device);
    return begin("cudaSetDevice");
  }

  @Override
  public int attribute(int[] value, int attribute, int device) {
    value[0] =
        switch (attribute) {
          case 16 -> 4;
          case 75 -> capability / 10;
          case 76 -> capability % 10;
          default -> throw new AssertionError("attribute " + attribute);
        };
    return begin("cudaDeviceGetAttribute");
  }

  @Override
  public int identity(String[] nameAndUuid, int device) {
    nameAndUuid[0] = "Emulated GPU";
    nameAndUuid[1] = "GPU-" + (device + 1) + "c0ffee-0000";
    return begin("cudaGetDeviceProperties");
  }

  @Override
  public int pciBusId(String[] id, int device) {
    id[0] = "0000:0" + device + ":00.0";
    return begin("cudaDeviceGetPCIBusId");
  }

  @Override
  public int versions(int[] driverAndRuntime) {
    driverAndRuntime[0] = 13000;
    driverAndRuntime[1] = 13000;
    return begin("cudaDriverGetVersion");
  }

  @Override
  public int memoryInfo(long[] freeAndTotal) {
    freeAndTotal[0] = bytesTotal - bytesTaken;
    freeAndTotal[1] = bytesTotal;
    return begin("cudaMemGetInfo");
  }

  @Override
  public int malloc(long[] address, long bytes) {
    int code = begin("cudaMalloc");
    if (code != SUCCESS) {
      return code;
    }
    if (bytesTaken + bytes > bytesTotal) {
      return MEMORY_ALLOCATION;
    }
    Arena arena = Arena.ofShared();
    MemorySegment block = arena.allocate(bytes, 256).fill((byte) 0xff);
    address[0] = block.address();
    deviceOfLastMalloc = current.get();
    blocks.put(block.address(), arena);
    sizes.put(block.address(), bytes);
    bytesTaken += bytes;
    return SUCCESS;
  }

  @Override
  public int free(long address) {
    int code = begin("cudaFree");
    if (code != SUCCESS) {
      return code;
    }
    Arena arena = blocks.remove(address);
    if (arena == null) {
      return INVALID_VALUE;
    }
    bytesTaken -= sizes.remove(address);
    arena.close();
    return SUCCESS;
  }

  @Override
  public int copyToDevice(long to, MemorySegment from, long bytes, long stream) {
    if (recording) {
      // From pageable memory: its contents would be gone at the replay.
      return invalidate();
    }
    return enqueue("cudaMemcpyAsync", () -> memory(to, bytes).copyFrom(from.asSlice(0, bytes)));
  }

  @Override
  public int copyToHost(MemorySegment to, long from, long bytes, long stream) {
    return enqueue("cudaMemcpyAsync", () -> to.asSlice(0, bytes).copyFrom(memory(from, bytes)));
  }

  @Override
  public int copyOnDevice(long to, long from, long bytes, long stream) {
    return enqueue("cudaMemcpyAsync", () -> memory(to, bytes).copyFrom(memory(from, bytes)));
  }

  @Override
  public int fill(long to, int value, long bytes, long stream) {
    return enqueue("cudaMemsetAsync", () -> memory(to, bytes).fill((byte) value));
  }

  @Override
  public int loadLibrary(long[] library, MemorySegment code) {
    library[0] = 1;
    return begin("cudaLibraryLoadData");
  }

  @Override
  public int unloadLibrary(long library) {
    return begin("cudaLibraryUnload");
  }

  @Override
  public int kernel(long[] kernel, long library, String name) {
    int code = begin("cudaLibraryGetKernel");
    if (code != SUCCESS) {
      return code;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = (MemorySegment) machine().find().invokeExact(arena.allocateFrom(name));
      kernel[0] = found.address();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
    return kernel[0] == 0 ? SYMBOL_NOT_FOUND : SUCCESS;
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
    int code = begin("cudaLaunchKernel");
    if (code != SUCCESS) {
      return code;
    }
    if (!recording) {
      return run(kernel, gridX, gridY, gridZ, threads, sharedBytes, arguments);
    }
    // As CUDA does, the values are copied at once.
    int slots = KernelArguments.ARGUMENTS_MAX;
    MemorySegment copy = Arena.ofAuto().allocate(16L * slots, 8);
    for (int i = 0; i < slots; i++) {
      long value = arguments.getAtIndex(ADDRESS, i).reinterpret(8).get(JAVA_LONG, 0);
      copy.setAtIndex(JAVA_LONG, slots + i, value);
      copy.setAtIndex(ADDRESS, i, copy.asSlice(8L * (slots + i), 8));
    }
    recorded.add(() -> run(kernel, gridX, gridY, gridZ, threads, sharedBytes, copy));
    return SUCCESS;
  }

  private int run(
      long kernel, int x, int y, int z, int threads, int sharedBytes, MemorySegment arguments) {
    try {
      return (int)
          machine()
              .launch()
              .invokeExact(
                  MemorySegment.ofAddress(kernel), x, y, z, threads, (long) sharedBytes, arguments);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public int createStream(long[] stream) {
    stream[0] = 7;
    return begin("cudaStreamCreateWithFlags");
  }

  @Override
  public int destroyStream(long stream) {
    return begin("cudaStreamDestroy");
  }

  @Override
  public int synchronize(long stream) {
    return recording ? invalidate() : begin("cudaStreamSynchronize");
  }

  @Override
  public int queryStream(long stream) {
    if (recording) {
      return invalidate();
    }
    int code = begin("cudaStreamQuery");
    return code == SUCCESS && hung ? NOT_READY : code;
  }

  @Override
  public int createEvent(long[] event, boolean timed) {
    event[0] = nextEvent++;
    int code = begin("cudaEventCreateWithFlags");
    if (code == SUCCESS) {
      events.put(event[0], Boolean.FALSE);
    }
    return code;
  }

  @Override
  public int destroyEvent(long event) {
    return events.remove(event) == null ? INVALID_VALUE : begin("cudaEventDestroy");
  }

  @Override
  public int recordEvent(long event, long stream) {
    return events.replace(event, Boolean.TRUE) == null ? INVALID_VALUE : begin("cudaEventRecord");
  }

  @Override
  public int queryEvent(long event) {
    if (recording) {
      return invalidate();
    }
    eventsAsked.add(event);
    int code = events.get(event) == Boolean.TRUE ? begin("cudaEventQuery") : INVALID_VALUE;
    return code == SUCCESS && hung ? NOT_READY : code;
  }

  @Override
  public int elapsedMs(float[] ms, long start, long end) {
    ms[0] = elapsed.isEmpty() ? 1 : elapsed.removeFirst();
    return begin("cudaEventElapsedTime");
  }

  private int invalidate() {
    invalidated = true;
    return CAPTURE_UNSUPPORTED;
  }

  @Override
  public int beginCapture(long stream) {
    int code = begin("cudaStreamBeginCapture");
    invalidated = false;
    recording = code == SUCCESS;
    recorded = new ArrayList<>();
    return code;
  }

  @Override
  public int endCapture(long[] graph, long stream) {
    recording = false;
    if (invalidated) {
      return CAPTURE_INVALIDATED;
    }
    graph[0] = handles++;
    graphs.put(graph[0], recorded);
    return begin("cudaStreamEndCapture");
  }

  @Override
  public int instantiate(long[] executable, long graph) {
    int code = begin("cudaGraphInstantiate");
    if (code == SUCCESS) {
      executable[0] = handles++;
      executables.put(executable[0], graphs.get(graph));
    }
    return code;
  }

  @Override
  public int launchGraph(long executable, long stream) {
    int code = begin("cudaGraphLaunch");
    if (code == SUCCESS) {
      executables.get(executable).forEach(Runnable::run);
    }
    return code;
  }

  @Override
  public int destroyGraph(long graph) {
    return graphs.remove(graph) == null ? INVALID_VALUE : begin("cudaGraphDestroy");
  }

  @Override
  public int destroyExecutable(long executable) {
    return executables.remove(executable) == null ? INVALID_VALUE : begin("cudaGraphExecDestroy");
  }

  /** What the next measurements between events give. */
  EmulatedCudaRuntime elapsed(float... ms) {
    for (float value : ms) {
      elapsed.add(value);
    }
    return this;
  }

  /** Graphs that were made and not destroyed. */
  int graphsAlive() {
    return executables.size();
  }

  @Override
  public String errorName(int code) {
    return switch (code) {
      case 1 -> "cudaErrorInvalidValue";
      case 2 -> "cudaErrorMemoryAllocation";
      case 35 -> "cudaErrorInsufficientDriver";
      case 100 -> "cudaErrorNoDevice";
      case 209 -> "cudaErrorNoKernelImageForDevice";
      case 214 -> "cudaErrorECCUncorrectable";
      case 500 -> "cudaErrorSymbolNotFound";
      case 700 -> "cudaErrorIllegalAddress";
      case 702 -> "cudaErrorLaunchTimeout";
      case 719 -> "cudaErrorLaunchFailure";
      case 900 -> "cudaErrorStreamCaptureUnsupported";
      default -> "cudaError" + code;
    };
  }

  @Override
  public String errorText(int code) {
    return "text of " + code;
  }
}
