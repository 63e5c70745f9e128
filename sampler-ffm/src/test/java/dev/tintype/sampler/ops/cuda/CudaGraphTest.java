package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.device.Graph;
import dev.tintype.sampler.device.Recorder;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Spare;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CudaGraphTest {
  private final EmulatedCudaRuntime runtime = new EmulatedCudaRuntime();
  private CudaDevice device;

  @BeforeEach
  void open() {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
    device =
        CudaDevice.open(
            runtime,
            0,
            DeviceOptions.defaults().withPrecision(Precision.FP32),
            EmulatedCudaRuntime.LIBRARIES);
  }

  @AfterEach
  void close() {
    if (device != null) {
      device.close();
    }
  }

  @Test
  void replaysOnWhatIsInMemoryThen() {
    CudaOps ops = (CudaOps) device.ops();
    Shape shape = Shape.of(2, 3);
    try (Tensor x = ops.upload(new float[] {-3, -2, -1, 0, 1, 2}, shape)) {
      Tensor[] out = new Tensor[1];
      try (Graph graph =
          device
              .recorder()
              .orElseThrow()
              .record(
                  () -> {
                    try (Tensor twice = ops.scale(x, 2)) {
                      out[0] = ops.activate(twice, Activation.RELU);
                    }
                  })) {
        graph.replay();
        assertThat(ops.download(out[0])).containsExactly(0, 0, 0, 0, 2, 4);
        try (Tensor other = ops.upload(new float[] {6, 5, 4, 3, 2, 1}, shape)) {
          runtime.copyOnDevice(x.data().address(), other.data().address(), x.bytes(), 0);
        }
        try (Tensor bystander = ops.upload(new float[] {7, 7, 7, 7, 7, 7}, shape)) {
          graph.replay();
          assertThat(ops.download(out[0])).containsExactly(12, 10, 8, 6, 4, 2);
          assertThat(ops.download(bystander)).containsOnly(7);
        }
        out[0].close();
      }
    }
    assertThat(device.bytesUsed()).isZero();
  }

  @Test
  void aFailureWhileRecordingEndsTheRecording() {
    assertThatThrownBy(
            () ->
                device
                    .recorder()
                    .orElseThrow()
                    .record(
                        () -> {
                          throw new IllegalStateException("model");
                        }))
        .hasMessage("model");
    assertThat(runtime.count("cudaStreamEndCapture")).isEqualTo(1);
    try (Tensor x = device.ops().upload(new float[] {1}, Shape.of(1, 1));
        Tensor both = device.ops().concatBatch(List.of(x, x))) {
      assertThat(device.ops().download(both)).containsExactly(1, 1);
    }
  }

  /** The driver would end the recording with an error that does not say why. */
  @Test
  void waitingAndCopyingAreRefusedWhileRecording() {
    CudaOps ops = (CudaOps) device.ops();
    try (Tensor x = ops.upload(new float[] {1, 2}, Shape.of(1, 2))) {
      for (Runnable forbidden :
          List.<Runnable>of(
              ops::synchronize,
              () -> ops.download(x),
              () -> ops.upload(new float[1], Shape.of(1)))) {
        Tensor[] out = new Tensor[1];
        try (Graph graph =
            device
                .recorder()
                .orElseThrow()
                .record(
                    () -> {
                      assertThatThrownBy(forbidden::run)
                          .hasMessageContaining("while a graph is recorded");
                      out[0] = ops.scale(x, 2);
                    })) {
          graph.replay();
          assertThat(ops.download(out[0])).containsExactly(2, 4);
        }
        out[0].close();
      }
    }
    assertThat(device.bytesUsed()).isZero();
  }

  @Test
  void aRecordingThatLacksMemoryIsTriedAgainWithWhatOthersGiveUp() {
    CudaOps ops = (CudaOps) device.ops();
    Recorder recorder = device.recorder().orElseThrow();
    Tensor[] spare = {ops.zeros(Shape.of(1 << 18))};
    Spare holder =
        new Spare() {
          @Override
          public long bytes() {
            return spare[0] == null ? 0 : spare[0].bytes();
          }

          @Override
          public void giveUp() {
            if (spare[0] != null) {
              spare[0].close();
              spare[0] = null;
            }
          }
        };
    recorder.addSpare(holder);
    try (Tensor x = ops.upload(new float[] {1, 2}, Shape.of(1, 2))) {
      Tensor[] out = new Tensor[1];
      runtime.failNext("cudaMalloc", 2);
      try (Graph graph = recorder.record(() -> out[0] = ops.scale(x, 3))) {
        assertThat(spare[0]).isNull();
        graph.replay();
        assertThat(ops.download(out[0])).containsExactly(3, 6);
      }
      out[0].close();
      runtime.failNext("cudaMalloc", 2, 2);
      assertThatThrownBy(() -> recorder.record(() -> out[0] = ops.zeros(Shape.of(1 << 20))))
          .as("all is given back, and still")
          .isInstanceOfSatisfying(
              DeviceException.class,
              e -> assertThat(e.code()).isEqualTo(DeviceException.OUT_OF_MEMORY));
    }
    recorder.removeSpare(holder);
    assertThat(device.bytesUsed()).isZero();
  }
}
