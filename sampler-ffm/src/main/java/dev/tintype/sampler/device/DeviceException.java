package dev.tintype.sampler.device;

import dev.tintype.sampler.SamplerException;

/** A device that cannot be opened or that failed. The message says why and what to do. */
public class DeviceException extends SamplerException {
  private static final long serialVersionUID = 1L;

  /** No device of that name. */
  public static final String UNKNOWN = "device.unknown";

  /** The device exists in this build, but not on this machine as it is. */
  public static final String UNAVAILABLE = "device.unavailable";

  /** More memory was asked for than the device or its limit has. */
  public static final String OUT_OF_MEMORY = "device.out_of_memory";

  /** A library or the device reported an error while computing. */
  public static final String FAILED = "device.failed";

  /** An option is out of range. */
  public static final String OPTION = "device.option";

  public DeviceException(String code, String message) {
    super(code, message);
  }

  /** True when every later call in this process will fail too: the worker must end. */
  public boolean isSticky() {
    return false;
  }

  public DeviceException(String code, String message, Throwable cause) {
    super(code, message, cause);
  }
}
