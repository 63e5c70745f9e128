package dev.tintype.sampler.device;

/**
 * How a device computes.
 *
 * @param threads worker threads on the CPU; 0 (default) means one per available processor
 * @param precision arithmetic; {@link Precision#DEFAULT} is strict fp32 on the CPU, fp16 storage
 *     with fp32 accumulation on a GPU
 * @param workspaceBytesMax most bytes of activations and scratch at one time; 0 (default) means the
 *     device's own bound
 * @param profile measure every verb (costs one timer read per verb); off by default
 * @param deterministic a picture's bits depend on its recipe, the device and the libraries'
 *     versions only, not on what shares its batch nor on what was measured to be fast; off by
 *     default, since on a GPU it takes samples one by one. The CPU is always so
 */
public record DeviceOptions(
    int threads,
    Precision precision,
    long workspaceBytesMax,
    boolean profile,
    boolean deterministic) {

  /** Arithmetic of a device. FP32 is always available. */
  public enum Precision {
    DEFAULT,
    FP32,
    FP16,
    BF16
  }

  /** Bound of {@code threads}: more than any machine has, less than what exhausts one. */
  public static final int THREADS_MAX = 1024;

  public DeviceOptions {
    if (threads < 0 || threads > THREADS_MAX) {
      throw new DeviceException(
          DeviceException.OPTION,
          "threads must be 0 (all processors) to " + THREADS_MAX + ": " + threads);
    }
    if (workspaceBytesMax < 0) {
      throw new DeviceException(
          DeviceException.OPTION, "workspace bytes must be positive, or 0: " + workspaceBytesMax);
    }
  }

  public static DeviceOptions defaults() {
    return new DeviceOptions(0, Precision.DEFAULT, 0, false, false);
  }

  public DeviceOptions withThreads(int count) {
    return new DeviceOptions(count, precision, workspaceBytesMax, profile, deterministic);
  }

  public DeviceOptions withPrecision(Precision value) {
    return new DeviceOptions(threads, value, workspaceBytesMax, profile, deterministic);
  }

  public DeviceOptions withWorkspaceBytesMax(long bytes) {
    return new DeviceOptions(threads, precision, bytes, profile, deterministic);
  }

  public DeviceOptions withProfile(boolean on) {
    return new DeviceOptions(threads, precision, workspaceBytesMax, on, deterministic);
  }

  public DeviceOptions withDeterministic(boolean on) {
    return new DeviceOptions(threads, precision, workspaceBytesMax, profile, on);
  }

  /** {@code threads}, with 0 resolved to the processors of this machine. */
  public int effectiveThreads() {
    return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
  }
}
