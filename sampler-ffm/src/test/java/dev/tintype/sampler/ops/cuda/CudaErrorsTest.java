package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.weights.HostTensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What CUDA can answer, injected below the seam, and what comes out above. */
class CudaErrorsTest {
  private final EmulatedCudaRuntime runtime = new EmulatedCudaRuntime();

  private CudaDevice open() {
    return open(DeviceOptions.defaults());
  }

  private CudaDevice open(DeviceOptions options) {
    return CudaDevice.open(runtime, 0, options, EmulatedCudaRuntime.LIBRARIES);
  }

  @ParameterizedTest
  @CsvSource({
    "700, device.lost, true",
    "719, device.lost, true",
    "214, device.ecc, true",
    "702, device.timeout, true",
    "1, device.failed, false",
  })
  void toldApart(int error, String code, boolean sticky) {
    CudaDevice device = open();
    runtime.failNext("cudaStreamSynchronize", error);
    CudaException failure =
        catchThrowableOfType(CudaException.class, () -> device.ops().synchronize());
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure.error()).isEqualTo(error);
    assertThat(failure.isSticky()).isEqualTo(sticky);
    assertThat(failure)
        .hasMessageContaining("cudaStreamSynchronize")
        .hasMessageContaining(runtime.errorName(error))
        .hasMessageContaining("text of " + error);
    if (sticky) {
      int before = runtime.count("cudaMemsetAsync");
      assertThatThrownBy(() -> device.ops().zeros(Shape.of(4))).isSameAs(failure);
      device.close();
      assertThat(runtime.count("cudaFree")).as("a dead context is left alone").isZero();
      assertThat(before).isZero();
    } else {
      device.ops().synchronize();
      device.close();
    }
  }

  @Test
  void noDriver() {
    runtime.failNext("cudaGetDeviceCount", 35);
    assertThatThrownBy(this::open)
        .isInstanceOfSatisfying(
            DeviceException.class, e -> assertThat(e.code()).isEqualTo(DeviceException.UNAVAILABLE))
        .hasMessageContaining("cudaErrorInsufficientDriver")
        .hasMessageContaining("install NVIDIA's driver");
  }

  @Test
  void noSuchCard() {
    runtime.withDevices(2);
    assertThatThrownBy(
            () ->
                CudaDevice.open(
                    runtime, 2, DeviceOptions.defaults(), EmulatedCudaRuntime.LIBRARIES))
        .hasMessageContaining("no GPU number 2, this machine has 2");
  }

  @Test
  void oldCard() {
    runtime.withCapability(75);
    assertThatThrownBy(this::open)
        .hasMessageContaining("compute capability 7.5")
        .hasMessageContaining("8.0");
  }

  @Test
  void smallCardIsRefusedWithTheNumber() {
    runtime.withMemory(2L << 30);
    assertThatThrownBy(this::open)
        .isInstanceOfSatisfying(
            DeviceException.class,
            e -> assertThat(e.code()).isEqualTo(DeviceException.OUT_OF_MEMORY))
        .hasMessageContaining("2,147,483,648")
        .hasMessageContaining("3,758,096,384");
  }

  @Test
  void outOfMemoryGivesUnusedBlocksBackAndTriesAgain() {
    try (CudaDevice device = open()) {
      device.ops().zeros(Shape.of(1000, 1000)).close();
      runtime.failNext("cudaMalloc", 2);
      try (Tensor tensor = device.ops().zeros(Shape.of(2000, 1000))) {
        assertThat(tensor.bytes()).isEqualTo(4_000_000);
      }
      assertThat(runtime.count("cudaFree")).isEqualTo(1);
    }
  }

  @Test
  void outOfMemoryIsNotSticky() {
    try (CudaDevice device = open()) {
      runtime.failNext("cudaMalloc", 2);
      assertThatThrownBy(() -> device.ops().zeros(Shape.of(1000, 1000)))
          .isInstanceOfSatisfying(
              CudaException.class,
              e -> {
                assertThat(e.code()).isEqualTo(DeviceException.OUT_OF_MEMORY);
                assertThat(e.isSticky()).isFalse();
              });
      device.ops().zeros(Shape.of(1000, 1000)).close();
    }
  }

  /** A worker goes on after such an error: what the verb had begun to fill must not stay taken. */
  @Test
  void aKernelThatCannotBeLaunchedKeepsNoMemory() {
    try (CudaDevice device = open();
        Tensor x = device.ops().zeros(Shape.of(1, 64, 32));
        PreparedWeights.Norm norm = device.ops().prepareNorm(ones(32), ones(32))) {
      long before = device.bytesUsed();
      List<Runnable> verbs =
          List.of(
              () -> device.ops().groupNorm(x, norm, 8, 1e-5f, Activation.NONE),
              () -> device.ops().layerNorm(x, norm, 1e-5f),
              () -> device.ops().attention(x, x, x, 4, 1, false));
      for (Runnable verb : verbs) {
        runtime.failNext("cudaLaunchKernel", 98);
        assertThatThrownBy(verb::run).isInstanceOf(CudaException.class);
        assertThat(device.bytesUsed()).isEqualTo(before);
        verb.run();
        assertThat(device.bytesUsed()).isGreaterThan(before);
        before = device.bytesUsed();
      }
    }
  }

  private static HostTensor ones(int count) {
    float[] values = new float[count];
    Arrays.fill(values, 1);
    return HostTensor.of("test", values, count);
  }

  @Test
  void theBoundOfTheWorkspaceHolds() {
    try (CudaDevice device = open(DeviceOptions.defaults().withWorkspaceBytesMax(3 << 20))) {
      Tensor first = device.ops().zeros(Shape.of(1 << 20));
      assertThatThrownBy(() -> device.ops().zeros(Shape.of(1 << 20)))
          .isInstanceOfSatisfying(
              DeviceException.class,
              e -> assertThat(e.code()).isEqualTo(DeviceException.OUT_OF_MEMORY))
          .hasMessageContaining("3,145,728");
      assertThat(device.bytesFree()).isLessThanOrEqualTo(1 << 20);
      first.close();
      // Held for the next tensor, and free for a model all the same.
      assertThat(device.bytesHeld()).isGreaterThanOrEqualTo(1 << 20);
      assertThat(device.bytesFree()).isEqualTo(device.bytesMax());
      device.ops().zeros(Shape.of(1 << 20)).close();
      // Another size class: the unused block makes room.
      device.ops().zeros(Shape.of(1 << 19)).close();
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void noKernelForThisCard() {
    runtime.failNext("cudaLibraryLoadData", 209);
    assertThatThrownBy(this::open)
        .hasMessageContaining("cudaLibraryLoadData")
        .hasMessageContaining("cudaErrorNoKernelImageForDevice");
  }

  @Test
  void aHungKernelIsToldAfterTheDeadline() {
    long[] now = new long[1];
    Cuda cuda = new Cuda(runtime, 0, () -> now[0] += 100_000_000, 2_000_000_000);
    cuda.synchronize();
    runtime.hang();
    CudaException failure = catchThrowableOfType(CudaException.class, cuda::synchronize);
    assertThat(failure.code()).isEqualTo(CudaException.TIMEOUT);
    assertThat(failure.isSticky()).isTrue();
    assertThat(failure).hasMessageContaining("in 2 s").hasMessageContaining("cudaErrorNotReady");
    assertThatThrownBy(() -> cuda.malloc(1)).isSameAs(failure);
  }

  @Test
  void anErrorWhileWaitingIsTold() {
    try (CudaDevice device = open()) {
      runtime.failNext("cudaStreamQuery", 719);
      assertThatThrownBy(() -> device.ops().synchronize())
          .hasMessageContaining("cudaStreamQuery")
          .hasMessageContaining("cudaErrorLaunchFailure");
    }
  }

  @Test
  void anotherThreadWorksOnTheSameCard() throws Exception {
    runtime.withDevices(2);
    try (CudaDevice device =
        CudaDevice.open(runtime, 1, DeviceOptions.defaults(), EmulatedCudaRuntime.LIBRARIES)) {
      Thread thread =
          Thread.ofPlatform().start(() -> device.ops().zeros(Shape.of(1000, 1000)).close());
      thread.join();
      assertThat(runtime.deviceOfLastMalloc()).isEqualTo(1);
    }
  }

  @Test
  void oneOfSeveralCardsIsFoundByNumberOrUuid() {
    runtime.withDevices(3);
    assertThat(GpuList.find(runtime, "2")).isEqualTo(2);
    assertThat(GpuList.find(runtime, "GPU-2c0ffee-0000")).isEqualTo(1);
    assertThat(GpuList.find(runtime, "gpu-3C0")).isEqualTo(2);
    assertThatThrownBy(() -> GpuList.find(runtime, "GPU-9"))
        .isInstanceOfSatisfying(
            DeviceException.class, e -> assertThat(e.code()).isEqualTo(DeviceException.UNAVAILABLE))
        .hasMessageContaining("no GPU")
        .hasMessageContaining("GPU-1c0ffee-0000");
    assertThatThrownBy(() -> GpuList.find(runtime, "GPU-")).hasMessageContaining("more than one");
    assertThatThrownBy(() -> GpuList.find(runtime, "3")).hasMessageContaining("no GPU");
  }
}
