package dev.tintype.sampler.device;

import dev.tintype.sampler.ops.cuda.CudaDevice;
import dev.tintype.sampler.ops.onednn.OneDnnDevice;
import dev.tintype.sampler.ops.reference.ReferenceDevice;
import java.util.List;

/** Opens devices by name. */
public final class Devices {
  /** The names that {@link #open} knows. */
  public static final List<String> NAMES = List.of("auto", "cpu", "cuda", "reference");

  /** {@code cuda:1} is the second GPU, {@code cuda:GPU-5c0e...} the one of that UUID. */
  private static final String ONE_GPU = "cuda:[A-Za-z0-9-]{1,64}";

  private Devices() {}

  /** Whether {@link #open} knows that name; it may not be on this machine. */
  public static boolean isName(String name) {
    return NAMES.contains(name) || name.matches(ONE_GPU);
  }

  /**
   * Opens the device of that name: {@code cpu}, {@code cuda}, {@code reference}, or {@code auto},
   * which is the GPU if there is one and the CPU otherwise. One of several GPUs is named by its
   * number ({@code cuda:1}) or its UUID ({@code cuda:GPU-5c0e...}, as nvidia-smi -L shows it).
   *
   * @throws DeviceException {@code device.unknown}, or {@code device.unavailable} with the reason
   */
  public static Device open(String name, DeviceOptions options) {
    if (name.matches(ONE_GPU)) {
      return CudaDevice.open(name.substring("cuda:".length()), options);
    }
    return switch (name) {
      case "auto" -> openAuto(options);
      case "cpu" -> OneDnnDevice.open(options);
      case "cuda" -> CudaDevice.open(options);
      case "reference" -> new ReferenceDevice();
      default ->
          throw new DeviceException(
              DeviceException.UNKNOWN,
              "there is no device \"" + name + "\"; choose one of " + String.join(", ", NAMES));
    };
  }

  private static Device openAuto(DeviceOptions options) {
    try {
      return CudaDevice.open(options);
    } catch (DeviceException noCuda) {
      try {
        return OneDnnDevice.open(options);
      } catch (DeviceException noCpu) {
        throw new DeviceException(
            DeviceException.UNAVAILABLE,
            "no device can be used. GPU: " + noCuda.getMessage() + ". CPU: " + noCpu.getMessage(),
            noCpu);
      }
    }
  }
}
