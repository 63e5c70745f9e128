package dev.tintype.sampler.device;

/**
 * Work of a device, recorded once and launched as a whole. It works on the memory it was recorded
 * with: tensors that it reads or that came out of the recording must stay open as long as it does.
 */
public interface Graph extends AutoCloseable {
  /** Hands the recorded work to the device again; does not wait for it. Not when it is stale. */
  void replay();

  /** True once the device has given up something that the recording uses: record anew. */
  boolean isStale();

  @Override
  void close();
}
