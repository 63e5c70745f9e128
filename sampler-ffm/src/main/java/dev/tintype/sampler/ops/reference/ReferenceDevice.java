package dev.tintype.sampler.ops.reference;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.ops.Ops;

/** Plain Java on the heap; always available. */
public final class ReferenceDevice implements Device {
  private final HeapTensors tensors = new HeapTensors();
  private final ReferenceOps ops = new ReferenceOps(tensors);

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public String description() {
    return "plain Java " + Runtime.version().feature() + ", double accumulation, slow";
  }

  @Override
  public Ops ops() {
    return ops;
  }

  @Override
  public int samplesPerCall() {
    return 1;
  }

  @Override
  public long bytesHeld() {
    return tensors.bytesHeld();
  }

  /** Nothing to give back: the garbage collector owns the memory. */
  @Override
  public void close() {}
}
