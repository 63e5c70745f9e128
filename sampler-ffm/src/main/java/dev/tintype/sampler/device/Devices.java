package dev.tintype.sampler.device;

import dev.tintype.sampler.ops.cuda.CudaDevice;
import dev.tintype.sampler.ops.onednn.OneDnnDevice;
import dev.tintype.sampler.ops.reference.ReferenceDevice;
import java.util.List;

/** Opens devices by name. */
public final class Devices {
  /** The names that {@link #open} knows. */
  public static final List<String> NAMES = List.of("auto", "cpu", "cuda", "reference");

  private Devices() {}

  /**
   * Opens the device of that name: {@code cpu}, {@code cuda}, {@code reference}, or {@code auto},
   * which is the GPU if there is one and the CPU otherwise.
   *
   * @throws DeviceException {@code device.unknown}, or {@code device.unavailable} with the reason
   */
  public static Device open(String name, DeviceOptions options) {
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
