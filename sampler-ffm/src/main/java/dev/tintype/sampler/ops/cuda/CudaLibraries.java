package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.bindings.cublaslt.CublasLt;
import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.CacheFolder;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.DeviceException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds and loads NVIDIA's libraries. Needed: libcudart.so.13. Better with: libcublasLt.so.13 and
 * libcudnn.so.9; without them our own kernels do their work, slowly. Looked for, in this order: the
 * folders of -Dtintype.cuda.path=A:B or TINTYPE_CUDA_PATH; CUDA_HOME and CUDA_PATH;
 * LD_LIBRARY_PATH; the system's folders; site-packages/nvidia of the Python environment in use; the
 * class path (org.bytedeco:cuda-redist). See docs/gpu.md.
 */
final class CudaLibraries implements CudaDevice.Libraries {
  private static final Logger LOG = LoggerFactory.getLogger(CudaLibraries.class);

  static final String RUNTIME = "libcudart.so.13";
  static final String MATRIX = "libcublasLt.so.13";
  static final String CONVOLUTION = "libcudnn.so.9";

  /** cuDNN opens this one by name when it compiles fused kernels; loading it first lets it. */
  static final String COMPILER = "libnvrtc.so.13";

  private static final String RESOURCES = "/org/bytedeco/cuda/linux-x86_64/";
  private static final List<String> BELOW_HOME =
      List.of("lib64", "lib", "targets/x86_64-linux/lib");
  private static final List<String> SYSTEM =
      List.of(
          "/usr/local/cuda/lib64",
          "/usr/local/cuda/lib",
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib64",
          "/usr/lib",
          "/usr/local/lib");

  /** -Dtintype.cuda.own=true: no library of NVIDIA's but the runtime, to look at our kernels. */
  private static final boolean OWN_KERNELS = Boolean.getBoolean("tintype.cuda.own");

  private static final int TUNE_SECONDS = 60;

  private static CudaLibraries loaded;

  private final Map<String, Path> files;

  private CudaLibraries(Map<String, Path> files) {
    this.files = files;
  }

  /**
   * Loads the libraries into this process, once.
   *
   * @throws DeviceException {@code device.unavailable}: why, and what to do
   */
  static synchronized CudaLibraries load() {
    if (loaded == null) {
      String platform = System.getProperty("os.name") + " " + System.getProperty("os.arch");
      if (!platform.equals("Linux amd64")) {
        throw unavailable("the CUDA device needs Linux on x86-64, this is " + platform, null);
      }
      if (!Kernels.arePresent()) {
        throw unavailable(
            "this build has no CUDA kernels, nvcc was not found when it was made; install the CUDA"
                + " 13 toolkit (or set CUDA_HOME) and build again",
            null);
      }
      loaded = new CudaLibraries(loadAll(folders(System.getenv())));
    }
    return loaded;
  }

  private static Map<String, Path> loadAll(Set<Path> folders) {
    Map<String, Path> files = new LinkedHashMap<>();
    for (String name : List.of(RUNTIME, COMPILER, MATRIX, CONVOLUTION)) {
      find(name, folders).ifPresent(file -> files.put(name, file));
    }
    if (!files.containsKey(RUNTIME)) {
      throw unavailable(
          RUNTIME
              + " was not found in "
              + folders
              + " nor on the class path; install the CUDA 13 runtime, or name its folder with"
              + " TINTYPE_CUDA_PATH",
          null);
    }
    Map<String, Path> loaded = new LinkedHashMap<>();
    for (Map.Entry<String, Path> entry : files.entrySet()) {
      try {
        System.load(entry.getValue().toString());
        loaded.put(entry.getKey(), entry.getValue());
      } catch (UnsatisfiedLinkError e) {
        if (entry.getKey().equals(RUNTIME)) {
          throw unavailable(entry.getValue() + " cannot be loaded: " + e.getMessage(), e);
        }
        LOG.warn("{} cannot be loaded: {}", entry.getValue(), e.getMessage());
      }
    }
    return loaded;
  }

  static Optional<Path> find(String name, Set<Path> folders) {
    for (Path folder : folders) {
      Path file = folder.resolve(name);
      if (Files.isReadable(file)) {
        return Optional.of(file.toAbsolutePath());
      }
    }
    return unpack(name);
  }

  /** Where to look, best first. */
  static Set<Path> folders(Map<String, String> environment) {
    Set<Path> folders = new LinkedHashSet<>();
    addPaths(folders, System.getProperty("tintype.cuda.path"));
    addPaths(folders, environment.get("TINTYPE_CUDA_PATH"));
    for (String home : List.of("CUDA_HOME", "CUDA_PATH")) {
      String value = environment.get(home);
      if (value != null && !value.isBlank()) {
        BELOW_HOME.forEach(below -> folders.add(Path.of(value, below)));
      }
    }
    addPaths(folders, environment.get("LD_LIBRARY_PATH"));
    SYSTEM.forEach(folder -> folders.add(Path.of(folder)));
    for (Path prefix : pythonPrefixes(environment)) {
      addPython(folders, prefix);
    }
    return folders;
  }

  private static void addPaths(Set<Path> folders, String paths) {
    if (paths != null) {
      for (String path : paths.split(":")) {
        if (!path.isBlank()) {
          folders.add(Path.of(path));
        }
      }
    }
  }

  private static Set<Path> pythonPrefixes(Map<String, String> environment) {
    Set<Path> prefixes = new LinkedHashSet<>();
    for (String home : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      Optional.ofNullable(environment.get(home)).map(Path::of).ifPresent(prefixes::add);
    }
    for (String folder : environment.getOrDefault("PATH", "").split(":")) {
      if (!folder.isBlank() && Files.exists(Path.of(folder, "python3"))) {
        Optional.ofNullable(Path.of(folder).getParent()).ifPresent(prefixes::add);
      }
    }
    return prefixes;
  }

  /** PREFIX/lib/python3.x/site-packages/nvidia/PACKAGE/lib, where pip puts NVIDIA's wheels. */
  private static void addPython(Set<Path> folders, Path prefix) {
    for (Path python : children(prefix.resolve("lib"), "python3*")) {
      for (String packages : List.of("site-packages", "dist-packages")) {
        for (Path component : children(python.resolve(packages).resolve("nvidia"), "*")) {
          Path lib = component.resolve("lib");
          if (Files.isDirectory(lib)) {
            folders.add(lib);
          }
        }
      }
    }
  }

  private static List<Path> children(Path folder, String glob) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
        stream.forEach(found::add);
      } catch (IOException e) {
        // A folder that cannot be listed holds nothing for us.
        return List.of();
      }
      found.sort(null);
    }
    return found;
  }

  /** From a jar of org.bytedeco on the class path, into the cache; once, they are large. */
  private static Optional<Path> unpack(String name) {
    URL resource = CudaLibraries.class.getResource(RESOURCES + name);
    if (resource == null) {
      return Optional.empty();
    }
    try {
      Path folder = CacheFolder.find().resolve("cuda-redist");
      Path target = folder.resolve(name);
      URLConnection connection = resource.openConnection();
      if (Files.exists(target) && Files.size(target) == connection.getContentLengthLong()) {
        return Optional.of(target);
      }
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, name, ".part");
      try (InputStream in = connection.getInputStream()) {
        Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        return Optional.of(target);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw unavailable(
          name + " cannot be unpacked (" + e + "); set TINTYPE_CACHE to a folder with 2 GB free",
          e);
    }
  }

  private static DeviceException unavailable(String why, Throwable cause) {
    return new DeviceException(DeviceException.UNAVAILABLE, why, cause);
  }

  /** What was found, by name. */
  Map<String, Path> files() {
    return Map.copyOf(files);
  }

  /**
   * Measures unless -Dtintype.cuda.tune=off, for at most -Dtintype.cuda.tune.seconds (60) of this
   * process.
   */
  @Override
  public Tuner tuner(Cuda cuda, CudaMemory memory, String card) {
    String wanted = System.getProperty("tintype.cuda.tune", "on");
    if (wanted.equals("off")) {
      return Tuner.off(cuda, memory);
    }
    // cuDNN and cublasLt choose by card and by their own versions.
    String versions =
        (files.containsKey(CONVOLUTION) ? "cuDNN " + Cudnn.cudnnGetVersion() : "no cuDNN")
            + (files.containsKey(MATRIX)
                ? ", cublasLt " + CublasLt.cublasLtGetVersion()
                : ", no cublasLt");
    double seconds = Integer.getInteger("tintype.cuda.tune.seconds", TUNE_SECONDS);
    return new Tuner(cuda, memory, Choices.in(CacheFolder.find(), card + ", " + versions), seconds);
  }

  @Override
  public MatrixProduct matrix(
      Cuda cuda, CudaMemory memory, Kernels kernels, DType dtype, Tuner tuner) {
    if (files.containsKey(MATRIX) && !OWN_KERNELS) {
      try {
        return new CublasLtMatrixProduct(cuda, memory, kernels, dtype, tuner);
      } catch (CudaException e) {
        degrade(MATRIX, e);
      }
    }
    return new KernelMatrixProduct(kernels);
  }

  @Override
  public Convolution convolution(
      Cuda cuda,
      CudaMemory memory,
      Kernels kernels,
      DType dtype,
      MatrixProduct matrix,
      Tuner tuner) {
    ChannelPadding padding = new ChannelPadding(memory, kernels);
    KernelConvolution own = new KernelConvolution(kernels, padding);
    if (files.containsKey(CONVOLUTION) && !OWN_KERNELS) {
      try {
        return new CudnnConvolution(cuda, memory, kernels, dtype, matrix, own, padding, tuner);
      } catch (CudaException e) {
        degrade(CONVOLUTION, e);
      }
    }
    return own;
  }

  /** A library that is there and does not start is worth a word: pictures take far longer. */
  private static void degrade(String library, CudaException e) {
    if (e.isSticky()) {
      throw e;
    }
    LOG.warn(
        "{} cannot be used, our own kernels do its work, less fast: {}", library, e.getMessage());
  }
}
