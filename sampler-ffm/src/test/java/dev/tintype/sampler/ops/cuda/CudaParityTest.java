package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.ops.OpsParityContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** Every verb of CudaOps in fp32, its kernels run by the emulator, held to the oracle. */
@Tag("slow")
class CudaParityTest extends OpsParityContract {
  private CudaDevice device;

  @BeforeAll
  void open() {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
    device =
        CudaDevice.open(
            new EmulatedCudaRuntime(),
            0,
            DeviceOptions.defaults().withPrecision(precision()),
            EmulatedCudaRuntime.LIBRARIES);
    assertThat(device.ops().dtype().bytes())
        .isEqualTo(precision() == DeviceOptions.Precision.FP32 ? 4 : 2);
  }

  DeviceOptions.Precision precision() {
    return DeviceOptions.Precision.FP32;
  }

  @AfterAll
  void close() {
    if (device != null) {
      device.close();
    }
  }

  @Override
  protected Device device() {
    return device;
  }
}
