package dev.tintype.sampler.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every golden case on the CPU device. */
@Tag("slow")
class GoldenCpuTest {
  private static final Path ROOT = Path.of("src/test/golden");

  private static Device device;

  @BeforeAll
  static void open() {
    device = Devices.open("cpu", DeviceOptions.defaults());
  }

  @AfterAll
  static void close() {
    device.close();
  }

  static Stream<Path> cases() {
    return new GoldenRunner(ROOT, device).cases().stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void passes(Path folder) {
    GoldenRow row = new GoldenRunner(ROOT, device).run(folder);
    assertThat(row.passed()).as(row.line()).isTrue();
  }
}
