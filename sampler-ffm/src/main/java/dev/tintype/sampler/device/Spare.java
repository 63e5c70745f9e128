package dev.tintype.sampler.device;

/**
 * Memory of a device that its holder can do without and make anew, such as recordings: asked for
 * when a request lacks memory, before that fails. See {@link Recorder#addSpare}.
 */
public interface Spare {
  /** Bytes that {@link #giveUp} would give back now, about; 0 when there is nothing. */
  long bytes();

  /**
   * Gives back all that is not in use at this moment. Called from within any verb, so it must not
   * ask the device for memory.
   */
  void giveUp();
}
