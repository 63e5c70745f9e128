package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DeviceException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What of CUDA is on this machine, for people: the libraries and where they were found, what to do
 * about those that are missing, and the GPUs. Looks in the same places as the device does.
 *
 * @param parts of NVIDIA's software, the needed ones first
 * @param gpus one line each: number, name, UUID, bus; empty where CUDA cannot be asked
 */
public record CudaReport(List<Part> parts, List<String> gpus) {

  /** How to get everything at once, without rights on the machine. */
  private static final String ALL =
      "python3 -m pip install nvidia-cuda-runtime nvidia-cublas nvidia-cudnn-cu13 nvidia-cuda-nvrtc"
          + " (they are found in the environment of the python3 on the PATH)";

  /**
   * @param name for people
   * @param library such as libcudnn.so.9
   * @param file where it was found
   * @param without what it means when it is missing, and what to install
   */
  public record Part(String name, String library, Optional<Path> file, String without) {}

  /**
   * Looks for all of them; where the CUDA runtime is there, loads what a GPU would need and asks.
   */
  public static CudaReport examine() {
    Set<Path> folders = CudaLibraries.folders(System.getenv());
    List<Part> parts = new ArrayList<>();
    parts.add(
        part(
            folders,
            "cuda runtime",
            CudaLibraries.RUNTIME,
            "No GPU can be used without it. Install the CUDA 13 runtime, for example with " + ALL));
    parts.add(
        part(
            folders,
            "cublasLt",
            CudaLibraries.MATRIX,
            "Linear layers are computed by our own kernel, which is slower. Install cuBLAS 13, for"
                + " example with "
                + ALL));
    parts.add(
        part(
            folders,
            "cudnn",
            CudaLibraries.CONVOLUTION,
            "Convolutions are computed by our own kernel, which is slower. Install cuDNN 9.15.1 or"
                + " newer for CUDA 13, for example with "
                + ALL));
    parts.add(
        part(
            folders,
            "nvrtc",
            CudaLibraries.COMPILER,
            "cuDNN cannot fuse biases into convolutions. Install nvrtc of CUDA 13, for example with"
                + " "
                + ALL));
    return new CudaReport(List.copyOf(parts), gpuNames());
  }

  private static Part part(Set<Path> folders, String name, String library, String without) {
    return new Part(name, library, CudaLibraries.find(library, folders), without);
  }

  private static List<String> gpuNames() {
    try {
      CudaLibraries.load();
      return GpuList.of(new FfmCudaRuntime()).stream().map(GpuList.Gpu::toString).toList();
    } catch (DeviceException e) {
      // Why not is the device's own answer when it is opened.
      return List.of();
    }
  }
}
