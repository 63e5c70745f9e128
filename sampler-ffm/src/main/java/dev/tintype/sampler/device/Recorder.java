package dev.tintype.sampler.device;

/**
 * Records the work of a device for {@link Graph#replay}: then neither Java nor the driver handles
 * each kernel any more. Only some devices have one.
 */
public interface Recorder {
  /**
   * Records what {@code work} hands to the device, without running it. The same work must have run
   * once before, so that plans are made and memory is there; it must not upload or download.
   *
   * @throws DeviceException when the device cannot record it; the device is as before
   */
  Graph record(Runnable work);

  /**
   * Copies the bytes of one tensor over those of another of the same shape, in the order of the
   * device's work; does not wait for it.
   */
  void copy(Tensor from, Tensor to);

  /** From now on this is given up when the device lacks memory for anything else. */
  void addSpare(Spare spare);

  /** Ends {@link #addSpare}. */
  void removeSpare(Spare spare);
}
