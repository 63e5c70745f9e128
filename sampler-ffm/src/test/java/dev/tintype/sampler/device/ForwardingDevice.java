package dev.tintype.sampler.device;

import dev.tintype.sampler.ops.Ops;
import java.util.Optional;

/** Another device in all that a test does not override. */
public class ForwardingDevice implements Device {
  private final Device device;

  public ForwardingDevice(Device device) {
    this.device = device;
  }

  @Override
  public String name() {
    return device.name();
  }

  @Override
  public String description() {
    return device.description();
  }

  @Override
  public String arithmetic() {
    return device.arithmetic();
  }

  @Override
  public Ops ops() {
    return device.ops();
  }

  @Override
  public int samplesPerCall() {
    return device.samplesPerCall();
  }

  @Override
  public Optional<Recorder> recorder() {
    return device.recorder();
  }

  @Override
  public long bytesMax() {
    return device.bytesMax();
  }

  @Override
  public long bytesHeld() {
    return device.bytesHeld();
  }

  @Override
  public long bytesFree() {
    return device.bytesFree();
  }

  @Override
  public void close() {
    device.close();
  }
}
