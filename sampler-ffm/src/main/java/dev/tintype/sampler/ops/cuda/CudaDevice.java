package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Graph;
import dev.tintype.sampler.device.Recorder;
import dev.tintype.sampler.device.Spare;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.Shapes;
import java.util.List;
import java.util.Optional;

/** One GPU. Opening it finds the libraries, checks the card and loads the kernels. */
public final class CudaDevice implements Device {
  /** The kernels need Ampere: asynchronous copies and bf16 on the tensor cores. */
  static final int CAPABILITY_MIN = 80;

  /** Less cannot hold the smallest published model in fp16 with its activations. */
  static final long MEMORY_BYTES_MIN = 3L << 30;

  /** Left to the driver, to cuDNN's and cublasLt's own allocations and to a display. */
  static final long MEMORY_BYTES_RESERVED = 512L << 20;

  /** Samples of a batch in one call of a network; with guidance each counts twice. */
  static final int SAMPLES_PER_CALL = 16;

  private static final boolean RECORDS =
      Boolean.parseBoolean(System.getProperty("tintype.cuda.graphs", "true"));

  // cudaDeviceAttr
  private static final int MULTIPROCESSORS = 16;
  private static final int CAPABILITY_MAJOR = 75;
  private static final int CAPABILITY_MINOR = 76;

  private final int index;
  private final String description;
  private final Cuda cuda;
  private final CudaMemory memory;
  private final Kernels kernels;
  private final CudaOps ops;
  private final Recorder recorder;
  private final boolean deterministic;
  private final String arithmetic;
  private boolean closed;

  private CudaDevice(CudaRuntime runtime, int index, DeviceOptions options, Libraries libraries) {
    this.index = index;
    Card card = Card.inspect(runtime, index);
    this.cuda = new Cuda(runtime, index);
    this.memory = new CudaMemory(cuda, budget(cuda, options));
    DType dtype = dtype(options.precision());
    this.kernels = new Kernels(cuda, dtype, libraries.kernels());
    this.deterministic = options.deterministic();
    Tuner tuner =
        deterministic ? Tuner.off(cuda, memory) : libraries.tuner(cuda, memory, card.text());
    MatrixProduct matrix = libraries.matrix(cuda, memory, kernels, dtype, tuner);
    Convolution convolution = libraries.convolution(cuda, memory, kernels, dtype, matrix, tuner);
    this.ops = new CudaOps(cuda, memory, kernels, dtype, matrix, convolution, tuner);
    this.recorder = new GraphRecorder();
    this.description =
        "%s (%s), %s, %s".formatted(card.text(), card.uuid(), dtype, ops.description());
    this.arithmetic = "%s, %s, %s".formatted(card.text(), dtype, ops.description());
  }

  private final class GraphRecorder implements Recorder {
    @Override
    public Graph record(Runnable work) {
      return CudaGraph.capture(cuda, memory, work);
    }

    @Override
    public void copy(Tensor from, Tensor to) {
      Shapes.same(from, to);
      cuda.bind();
      cuda.copyOnDevice(CudaTensors.address(to), CudaTensors.address(from), from.bytes());
    }

    @Override
    public void addSpare(Spare spare) {
      memory.addSpare(spare);
    }

    @Override
    public void removeSpare(Spare spare) {
      memory.removeSpare(spare);
    }
  }

  /** What a device is made of besides the runtime; by default our own kernels do everything. */
  interface Libraries {
    /** The fatbin of our kernels. */
    default byte[] kernels() {
      return Kernels.fatbin();
    }

    /**
     * What chooses between ways of computing the same.
     *
     * @param card all that is known of the GPU and its driver, one line
     */
    default Tuner tuner(Cuda cuda, CudaMemory memory, String card) {
      return Tuner.off(cuda, memory);
    }

    default MatrixProduct matrix(
        Cuda cuda, CudaMemory memory, Kernels kernels, DType dtype, Tuner tuner) {
      return new KernelMatrixProduct(kernels);
    }

    default Convolution convolution(
        Cuda cuda,
        CudaMemory memory,
        Kernels kernels,
        DType dtype,
        MatrixProduct matrix,
        Tuner tuner) {
      return new KernelConvolution(kernels, new ChannelPadding(memory, kernels));
    }
  }

  /**
   * Opens the first GPU, or that of -Dtintype.cuda.device=N.
   *
   * @throws DeviceException {@code device.unavailable} with the reason
   */
  public static CudaDevice open(DeviceOptions options) {
    CudaLibraries found = CudaLibraries.load();
    return open(new FfmCudaRuntime(), Integer.getInteger("tintype.cuda.device", 0), options, found);
  }

  /**
   * Opens one of several GPUs.
   *
   * @param which its number, or its UUID as nvidia-smi -L shows it, of which a beginning will do
   * @throws DeviceException {@code device.unavailable} with the GPUs that there are
   */
  public static CudaDevice open(String which, DeviceOptions options) {
    CudaLibraries found = CudaLibraries.load();
    CudaRuntime runtime = new FfmCudaRuntime();
    return open(runtime, GpuList.find(runtime, which), options, found);
  }

  /** As {@link #open(DeviceOptions)}, on any runtime. */
  static CudaDevice open(
      CudaRuntime runtime, int index, DeviceOptions options, Libraries libraries) {
    return new CudaDevice(runtime, index, options, libraries);
  }

  /** Empty when a GPU can be used here, else the reason why not. */
  public static Optional<String> whyUnavailable() {
    try {
      CudaLibraries.load();
      Card.inspect(new FfmCudaRuntime(), Integer.getInteger("tintype.cuda.device", 0));
      return Optional.empty();
    } catch (DeviceException e) {
      return Optional.of(e.getMessage());
    }
  }

  /**
   * @param text all of the card that decides what it computes and how fast, one line
   */
  private record Card(String text, String uuid) {
    /**
     * @throws DeviceException {@code device.unavailable} where there is none, or none that will do
     */
    static Card inspect(CudaRuntime runtime, int index) {
      List<GpuList.Gpu> gpus = GpuList.of(runtime);
      if (index < 0 || index >= gpus.size()) {
        throw new DeviceException(
            DeviceException.UNAVAILABLE,
            "there is no GPU number %d, this machine has %d".formatted(index, gpus.size()));
      }
      int major = attribute(runtime, CAPABILITY_MAJOR, index);
      int minor = attribute(runtime, CAPABILITY_MINOR, index);
      int processors = attribute(runtime, MULTIPROCESSORS, index);
      int[] versions = new int[2];
      GpuList.check(runtime, runtime.versions(versions), "cudaDriverGetVersion");
      if (10 * major + minor < CAPABILITY_MIN) {
        throw new DeviceException(
            DeviceException.UNAVAILABLE,
            "GPU %d has compute capability %d.%d, the kernels need 8.0 (Ampere) or newer"
                .formatted(index, major, minor));
      }
      GpuList.Gpu gpu = gpus.get(index);
      String text =
          "%s, compute capability %d.%d, %d multiprocessors, driver CUDA %s, runtime %s"
              .formatted(
                  gpu.name(), major, minor, processors, version(versions[0]), version(versions[1]));
      return new Card(text, gpu.uuid());
    }

    private static int attribute(CudaRuntime runtime, int attribute, int index) {
      int[] value = new int[1];
      GpuList.check(runtime, runtime.attribute(value, attribute, index), "cudaDeviceGetAttribute");
      return value[0];
    }

    private static String version(int number) {
      return number / 1000 + "." + number % 1000 / 10;
    }
  }

  /** Bytes this worker may hold. */
  private static long budget(Cuda cuda, DeviceOptions options) {
    long[] freeAndTotal = new long[2];
    cuda.check(cuda.runtime().memoryInfo(freeAndTotal), "cudaMemGetInfo");
    long usable = freeAndTotal[0] - MEMORY_BYTES_RESERVED;
    if (usable < MEMORY_BYTES_MIN) {
      throw new DeviceException(
          DeviceException.OUT_OF_MEMORY,
          ("the GPU has %,d bytes free of %,d; %,d are needed at least: end what else uses it, or"
                  + " use a larger card")
              .formatted(
                  freeAndTotal[0], freeAndTotal[1], MEMORY_BYTES_MIN + MEMORY_BYTES_RESERVED));
    }
    long asked = options.workspaceBytesMax();
    return asked == 0 ? usable : Math.min(asked, usable);
  }

  private static DType dtype(DeviceOptions.Precision precision) {
    return switch (precision) {
      case DEFAULT, FP16 -> DType.F16;
      case FP32 -> DType.F32;
      case BF16 -> DType.BF16;
    };
  }

  @Override
  public String name() {
    return "cuda:" + index;
  }

  @Override
  public String description() {
    return description;
  }

  /** Any card of the same kind will do. */
  @Override
  public String arithmetic() {
    return arithmetic;
  }

  @Override
  public Ops ops() {
    return ops;
  }

  @Override
  public int samplesPerCall() {
    // One by one, every call has the same shapes whatever the batch, and so the same kernels.
    return deterministic ? 1 : SAMPLES_PER_CALL;
  }

  @Override
  public long bytesMax() {
    return memory.bytesMax();
  }

  @Override
  public long bytesHeld() {
    return memory.bytesHeld();
  }

  @Override
  public long bytesFree() {
    return memory.bytesFree();
  }

  /** Bytes of workspace in open tensors, for tests of leaks. */
  long bytesUsed() {
    return memory.bytesUsed();
  }

  @Override
  public Optional<Recorder> recorder() {
    return RECORDS ? Optional.of(recorder) : Optional.empty();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      ops.close();
      memory.close();
      kernels.close();
      cuda.close();
    }
  }
}
