package dev.tintype.perf.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.device.Graph;
import dev.tintype.sampler.device.Recorder;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Spare;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Ops;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NetworkBenchTest {
  /** Says that it records, and cannot. */
  private record CannotRecord(Device device) implements Device {
    @Override
    public Optional<Recorder> recorder() {
      return Optional.of(
          new Recorder() {
            @Override
            public Graph record(Runnable work) {
              throw new DeviceException(DeviceException.FAILED, "not captured");
            }

            @Override
            public void copy(Tensor from, Tensor to) {
              throw new IllegalStateException("nothing is recorded");
            }

            @Override
            public void addSpare(Spare spare) {}

            @Override
            public void removeSpare(Spare spare) {}
          });
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
    public Ops ops() {
      return device.ops();
    }

    @Override
    public int samplesPerCall() {
      return device.samplesPerCall();
    }

    @Override
    public long bytesHeld() {
      return device.bytesHeld();
    }

    @Override
    public void close() {
      device.close();
    }
  }

  private static boolean time(Device device, ObjectNode row) {
    return NetworkBench.times(
        device, () -> device.ops().normalNoise(new long[] {1}, 1, Shape.of(8)), row);
  }

  @Test
  void aStepThatIsNotRecordedFailsAndSaysWhy() {
    ObjectNode row = Results.JSON.createObjectNode();
    try (Device device = new CannotRecord(Devices.open("reference", DeviceOptions.defaults()))) {
      assertThat(time(device, row)).isFalse();
      assertThat(row.get("graph_failure").asText()).contains("not captured");
      assertThat(row.has("eager_ms")).isTrue();
      assertThat(row.has("graph_ms")).isFalse();
    }
  }

  @Test
  void aDeviceWithoutGraphsIsOnlyLaunched() {
    ObjectNode row = Results.JSON.createObjectNode();
    try (Device device = Devices.open("reference", DeviceOptions.defaults())) {
      assertThat(time(device, row)).isTrue();
      assertThat(row.has("graph_failure")).isFalse();
    }
  }
}
