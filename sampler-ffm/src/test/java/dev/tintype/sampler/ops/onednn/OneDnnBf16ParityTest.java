package dev.tintype.sampler.ops.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.ops.OpsParityContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Products in bf16, where the processor has it. */
class OneDnnBf16ParityTest extends OpsParityContract {
  private Device device;

  @BeforeAll
  void open() {
    OneDnnLibrary.load();
    Assumptions.assumeTrue(Isa.current().bf16());
    device =
        OneDnnDevice.open(DeviceOptions.defaults().withThreads(2).withPrecision(Precision.BF16));
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

  /** 2^-9 per operand instead of 2^-24, of which errors of random sign take the square root. */
  @Override
  protected float coarseness() {
    return 400;
  }

  @Test
  void saysWhatItComputesIn() {
    assertThat(device.description()).endsWith("bf16");
    assertThatThrownBy(
            () -> OneDnnDevice.open(DeviceOptions.defaults().withPrecision(Precision.FP16)))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("fp32 or bf16");
  }
}
