package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.DeviceException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Our kernels, from the fatbin in the jar of sampler-native. Looked up by name once, then launched
 * by handle.
 */
final class Kernels implements AutoCloseable {
  static final String FATBIN = "/dev/tintype/sampler/kernels/kernels.fatbin";
  static final String INDEX = "/dev/tintype/sampler/kernels/kernels.index";

  /** Threads of a block of the elementwise kernels. */
  static final int THREADS = 256;

  /**
   * Enough blocks to fill any card several times; a grid-stride loop does the rest. 132
   * multiprocessors hold 8 blocks of 256 each.
   */
  private static final int ELEMENTWISE_BLOCKS_MAX = 8192;

  /** One kernel per storage type. */
  static final List<String> TYPED =
      List.of(
          "activate",
          "attention_simple_512",
          "attention_simple_64",
          "clamp",
          "combine",
          "conv2d",
          "epilogue",
          "geglu",
          "group_norm_apply",
          "group_norm_moments",
          "group_norm_small",
          "guide",
          "guide_deviations",
          "layer_norm",
          "linear",
          "normal_noise",
          "scale",
          "softmax",
          "step",
          "timestep_embedding",
          "to_rgb8");

  private static final List<DType> HALF = List.of(DType.F16, DType.BF16);

  /** Tensor cores take no fp32. */
  static final List<String> HALF_ONLY =
      List.of(
          "attention_mma_160",
          "attention_mma_48",
          "attention_mma_64",
          "attention_mma_80",
          "conv2d_mma_128",
          "conv2d_mma_64",
          "linear_geglu_mma_128",
          "linear_geglu_mma_64",
          "linear_mma_128",
          "linear_mma_64",
          "narrow_rows");

  /** One kernel per unit of bytes. */
  static final List<String> UNITS =
      List.of(
          "copy_rows_b16",
          "copy_rows_b2",
          "copy_rows_b4",
          "gather_rows_b16",
          "gather_rows_b2",
          "gather_rows_b4",
          "pixel_unshuffle_b2",
          "pixel_unshuffle_b4",
          "transpose_b2",
          "transpose_b4",
          "upsample_b16",
          "upsample_b2",
          "upsample_b4",
          "widen_rows_b2");

  private final Cuda cuda;
  private final Arena arena = Arena.ofShared();
  private final KernelArguments arguments = new KernelArguments(arena);
  private final long library;
  private final Map<String, Long> handles = new HashMap<>();
  private final String suffix;
  private final boolean half;

  /**
   * @param fatbin see {@link #fatbin}
   */
  Kernels(Cuda cuda, DType dtype, byte[] fatbin) {
    this.cuda = cuda;
    this.suffix = suffix(dtype);
    this.half = HALF.contains(dtype);
    MemorySegment code = arena.allocate(fatbin.length, 64);
    MemorySegment.copy(fatbin, 0, code, ValueLayout.JAVA_BYTE, 0, fatbin.length);
    long[] loaded = new long[1];
    cuda.check(cuda.runtime().loadLibrary(loaded, code), "cudaLibraryLoadData", code.byteSize());
    library = loaded[0];
  }

  /** Whether those of {@link #HALF_ONLY} are there for the device's storage type. */
  boolean haveTensorCores() {
    return half;
  }

  static String suffix(DType dtype) {
    return switch (dtype) {
      case F32 -> "_f32";
      case F16 -> "_f16";
      case BF16 -> "_bf16";
      case F64, I64, I32, U8 -> throw new IllegalArgumentException("no kernels for " + dtype);
    };
  }

  /** Every name that the engine may look up. */
  static TreeSet<String> names() {
    TreeSet<String> names = new TreeSet<>();
    for (DType dtype : List.of(DType.F32, DType.F16, DType.BF16)) {
      TYPED.forEach(name -> names.add("tt_" + name + suffix(dtype)));
    }
    for (DType dtype : HALF) {
      HALF_ONLY.forEach(name -> names.add("tt_" + name + suffix(dtype)));
    }
    UNITS.forEach(name -> names.add("tt_" + name));
    return names;
  }

  /** Whether the build had nvcc, so that there are kernels at all. */
  static boolean arePresent() {
    return Kernels.class.getResource(FATBIN) != null;
  }

  /**
   * The kernels in this build, for all cards.
   *
   * @throws DeviceException {@code device.unavailable} when it was made without nvcc
   */
  static byte[] fatbin() {
    try (InputStream in = Kernels.class.getResourceAsStream(FATBIN)) {
      if (in == null) {
        throw new DeviceException(
            DeviceException.UNAVAILABLE,
            "this build has no CUDA kernels: nvcc was not found when it was made; install the CUDA"
                + " 13 toolkit (or set CUDA_HOME) and build again");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new DeviceException(
          DeviceException.UNAVAILABLE, "the CUDA kernels cannot be read from the jar: " + e, e);
    }
  }

  /** Empty arguments for the next launch. */
  KernelArguments arguments() {
    return arguments.start();
  }

  /** A kernel of {@link #TYPED} or {@link #HALF_ONLY}, for the device's storage type. */
  long typed(String name) {
    Long handle = handles.get(name);
    return handle != null ? handle : find(name, "tt_" + name + suffix);
  }

  /** A kernel of {@link #UNITS}. */
  long units(String name) {
    Long handle = handles.get(name);
    return handle != null ? handle : find(name, "tt_" + name);
  }

  private long find(String key, String name) {
    long[] kernel = new long[1];
    cuda.check(cuda.runtime().kernel(kernel, library, name), "cudaLibraryGetKernel", name);
    handles.put(key, kernel[0]);
    return kernel[0];
  }

  void launch(long kernel, long gridX, long gridY, long gridZ, int threads, long sharedBytes) {
    int code =
        cuda.runtime()
            .launch(
                kernel,
                Math.toIntExact(gridX),
                Math.toIntExact(gridY),
                Math.toIntExact(gridZ),
                threads,
                Math.toIntExact(sharedBytes),
                arguments.pointers(),
                cuda.stream());
    if (code != 0) {
      cuda.check(code, "cudaLaunchKernel", name(kernel), gridX, gridY, gridZ, threads, sharedBytes);
    }
  }

  /** Launches a grid-stride kernel over that many threads' worth of work. */
  void launchOver(long kernel, long work) {
    long blocks = Math.clamp(Math.ceilDiv(work, THREADS), 1, ELEMENTWISE_BLOCKS_MAX);
    launch(kernel, blocks, 1, 1, THREADS, 0);
  }

  private String name(long kernel) {
    for (Map.Entry<String, Long> entry : handles.entrySet()) {
      if (entry.getValue() == kernel) {
        return entry.getKey() + suffix;
      }
    }
    return Cuda.hex(kernel);
  }

  @Override
  public void close() {
    try {
      if (!cuda.isLost()) {
        cuda.check(cuda.runtime().unloadLibrary(library), "cudaLibraryUnload");
      }
    } finally {
      arena.close();
    }
  }
}
