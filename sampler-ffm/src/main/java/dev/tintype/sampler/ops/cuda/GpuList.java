package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DeviceException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The GPUs that this process may use, in CUDA's order. */
final class GpuList {
  private GpuList() {}

  /**
   * @param uuid as nvidia-smi -L shows it
   * @param bus such as 0000:3B:00.0
   */
  record Gpu(int index, String name, String uuid, String bus) {
    @Override
    public String toString() {
      return index + ": " + name + " (" + uuid + ", " + bus + ")";
    }
  }

  /**
   * @throws DeviceException {@code device.unavailable} when CUDA finds none
   */
  static List<Gpu> of(CudaRuntime runtime) {
    int[] count = new int[1];
    int code = runtime.deviceCount(count);
    if (code != 0) {
      throw new DeviceException(
          DeviceException.UNAVAILABLE,
          "no GPU can be used: %s (%s); install NVIDIA's driver, 580 or newer for CUDA 13"
              .formatted(runtime.errorName(code), runtime.errorText(code)));
    }
    List<Gpu> gpus = new ArrayList<>();
    for (int i = 0; i < count[0]; i++) {
      String[] identity = new String[2];
      String[] bus = new String[1];
      check(runtime, runtime.identity(identity, i), "cudaGetDeviceProperties");
      check(runtime, runtime.pciBusId(bus, i), "cudaDeviceGetPCIBusId");
      gpus.add(new Gpu(i, identity[0].isEmpty() ? "GPU" : identity[0], identity[1], bus[0]));
    }
    return gpus;
  }

  static void check(CudaRuntime runtime, int code, String call) {
    if (code != 0) {
      throw Cuda.failure(runtime, code, call);
    }
  }

  /**
   * The index of a GPU by its number or the beginning of its UUID.
   *
   * @throws DeviceException {@code device.unavailable} when none or more than one is meant
   */
  static int find(CudaRuntime runtime, String which) {
    List<Gpu> gpus = of(runtime);
    String wanted = which.toLowerCase(Locale.ROOT);
    List<Gpu> meant =
        gpus.stream()
            .filter(
                gpu ->
                    Integer.toString(gpu.index()).equals(wanted)
                        || (wanted.startsWith("gpu-")
                            && gpu.uuid().toLowerCase(Locale.ROOT).startsWith(wanted)))
            .toList();
    if (meant.size() != 1) {
      throw new DeviceException(
          DeviceException.UNAVAILABLE,
          "cuda:%s names %s; this machine has %s"
              .formatted(
                  which,
                  meant.isEmpty() ? "no GPU" : "more than one GPU",
                  gpus.isEmpty() ? "none" : gpus));
    }
    return meant.getFirst().index();
  }
}
