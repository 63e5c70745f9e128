package dev.tintype.sampler.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DevicesTest {

  @Test
  void opensTheReferenceEverywhere() {
    try (Device device = Devices.open("reference", DeviceOptions.defaults())) {
      assertThat(device.name()).isEqualTo("reference");
    }
  }

  @Test
  void unknownNameSaysWhatThereIs() {
    assertThatThrownBy(() -> Devices.open("tpu", DeviceOptions.defaults()))
        .isInstanceOfSatisfying(
            DeviceException.class, e -> assertThat(e.code()).isEqualTo("device.unknown"))
        .hasMessageContaining("\"tpu\"")
        .hasMessageContaining("cpu, cuda, reference");
  }

  @Test
  void optionsAreChecked() {
    assertThatThrownBy(() -> DeviceOptions.defaults().withThreads(-1))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("-1");
  }
}
