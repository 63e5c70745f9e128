package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DeviceException;

/**
 * A call of the CUDA runtime, cuDNN or cublasLt that failed. The message holds the call, its
 * arguments, the library's name and text of the error, and what to do.
 */
public final class CudaException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** The GPU or the process's context on it is gone: only a new process can use it again. */
  public static final String LOST = "device.lost";

  /** The GPU's memory has an error that it could not correct; the context is gone as well. */
  public static final String ECC = "device.ecc";

  /** A kernel ran into the system's time limit, or our own; the context is gone as well. */
  public static final String TIMEOUT = "device.timeout";

  private final int error;

  CudaException(String code, int error, String message) {
    super(code, message);
    this.error = error;
  }

  /** The library's number of the error. */
  public int error() {
    return error;
  }

  @Override
  public boolean isSticky() {
    return code().equals(LOST) || code().equals(ECC) || code().equals(TIMEOUT);
  }

  /** For an error of the CUDA runtime. */
  static CudaException ofRuntime(
      int error, String name, String text, String call, Object... arguments) {
    String code =
        switch (error) {
          case 2 -> OUT_OF_MEMORY;
          case 214 -> ECC;
          case 702 -> TIMEOUT;
          // devices unavailable, NVLink, context destroyed, assert, and the faults of kernels
          case 46, 220, 700, 709, 710, 714, 715, 716, 717, 718, 719, 721, 999 -> LOST;
          default -> FAILED;
        };
    String advice =
        switch (code) {
          case OUT_OF_MEMORY -> "use a smaller picture, batch or model, or free the GPU's memory";
          case ECC -> "restart the worker; if it happens again, have the card checked";
          case TIMEOUT -> "restart the worker; a GPU that drives a display stops long kernels";
          case LOST -> "restart the worker; if it happens again, report it with this message";
          default -> "report it with this message";
        };
    return new CudaException(
        code,
        error,
        "%s(%s) gave %s (%d, %s); %s"
            .formatted(call, joined(arguments), name, error, text, advice));
  }

  /** For work that does not end. */
  static CudaException hung(long seconds) {
    return new CudaException(
        TIMEOUT,
        0,
        "the GPU has not finished its work in %d s (cudaStreamQuery gives cudaErrorNotReady); a kernel hangs, or another process holds the card. Restart the worker"
                .formatted(seconds)
            + "; if it happens again, report it with this message");
  }

  /** For an error of cuDNN or cublasLt. */
  static CudaException ofLibrary(int error, String name, String detail, String call) {
    return new CudaException(
        FAILED,
        error,
        "%s gave %s (%d%s)"
            .formatted(call, name, error, detail.isBlank() ? "" : ", " + detail.strip()));
  }

  private static String joined(Object... arguments) {
    StringBuilder text = new StringBuilder();
    for (Object argument : arguments) {
      text.append(text.isEmpty() ? "" : ", ").append(argument);
    }
    return text.toString();
  }
}
