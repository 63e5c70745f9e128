package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.ops.OpsParityContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class OneDnnParityTest extends OpsParityContract {
  private Device device;

  @BeforeAll
  void open() {
    device = OneDnnDevice.open(DeviceOptions.defaults().withThreads(2));
  }

  @AfterAll
  void close() {
    device.close();
  }

  @Override
  protected Device device() {
    return device;
  }
}
