package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.PhiloxNormal;
import dev.tintype.sampler.weights.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GEGLU apart from its product and inside it, on emulated kernels and scripted clocks. */
class CudaGegluTest {
  private static final String KEY =
      "geglu F16 Problem[rows=3, inFeatures=40, outFeatures=64, bias=true]";

  @TempDir Path folder;
  private final EmulatedCudaRuntime runtime = new EmulatedCudaRuntime();
  private final Cuda cuda = new Cuda(runtime, 0);
  private final CudaMemory memory = new CudaMemory(cuda, 1L << 30);
  private int products;

  @BeforeEach
  void emulator() {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(memory.bytesUsed()).isZero();
    memory.close();
    assertThat(runtime.bytesTaken()).isZero();
  }

  /** Our kernels, in a library's place: to be measured against. */
  private final class Library extends KernelMatrixProduct {
    Library(Kernels kernels) {
      super(kernels);
    }

    @Override
    public boolean isOwn() {
      return false;
    }

    @Override
    public void multiply(Call call) {
      products++;
      super.multiply(call);
    }
  }

  private Tuner tuner() {
    return new Tuner(cuda, memory, Choices.in(folder, "card"), 60);
  }

  /** One call, as a library's products or only our own are to be had. */
  private float[] multiply(
      DType dtype, boolean library, Tuner tuner, int rows, int in, int out, boolean bias) {
    try (Kernels kernels = new Kernels(cuda, dtype, new byte[16])) {
      CudaTensors tensors = new CudaTensors(cuda, memory, dtype);
      CudaGeglu geglu =
          new CudaGeglu(
              kernels,
              tensors,
              library ? new Library(kernels) : new KernelMatrixProduct(kernels),
              new CudaPointwise(kernels, tensors),
              tuner);
      HostTensor weight = HostTensor.of("weight", values(1, out * in, 0.3f), out, in);
      Optional<HostTensor> biases =
          bias ? Optional.of(HostTensor.of("bias", values(2, out, 1), out)) : Optional.empty();
      CudaWeights.Linear weights =
          new CudaWeights.Linear(new CudaWeights(tensors, memory), weight, biases);
      try (Tensor x = tensors.upload(values(3, rows * in, 1), Shape.of(rows, in));
          Tensor gated = geglu.multiply(x, weights)) {
        assertThat(gated.shape()).isEqualTo(Shape.of(rows, out / 2));
        return tensors.download(gated);
      } finally {
        weights.close();
      }
    }
  }

  /** {@link #KEY}. */
  private float[] small(boolean library, Tuner tuner) {
    return multiply(DType.F16, library, tuner, 3, 40, 64, true);
  }

  private static float[] values(long seed, int count, float deviation) {
    float[] values = new float[count];
    PhiloxNormal.fill(seed, 0, values, 0, count);
    for (int i = 0; i < count; i++) {
      values[i] *= deviation;
    }
    return values;
  }

  @ParameterizedTest
  @CsvSource({
    "F16, 3, 40, 64, true",
    "F16, 70, 320, 200, false",
    "F16, 2048, 32, 1024, true",
    "BF16, 70, 64, 70, true"
  })
  void bothWaysAgree(DType dtype, int rows, int in, int out, boolean bias) {
    float[] apart = multiply(dtype, true, Tuner.off(cuda, memory), rows, in, out, bias);
    assertThat(products).isEqualTo(1);
    float[] fused = multiply(dtype, false, Tuner.off(cuda, memory), rows, in, out, bias);
    assertThat(fused).as("one of them does not round the product").isNotEqualTo(apart);
    // Apart, value and gate are rounded as well as the result.
    float unit = dtype == DType.F16 ? 0x1p-11f : 0x1p-8f;
    for (int i = 0; i < apart.length; i++) {
      float bound = unit * (4 * Math.abs(apart[i]) + 4);
      assertThat(fused[i]).as("element " + i).isCloseTo(apart[i], within(bound));
    }
  }

  /** Small tiles and large. */
  @Test
  void theFusedBitsOfARowDoNotDependOnHowManyThereAre() {
    Tuner off = Tuner.off(cuda, memory);
    float[] many = multiply(DType.F16, false, off, 2048, 40, 1024, true);
    float[] few = multiply(DType.F16, false, off, 3, 40, 1024, true);
    assertThat(few).containsExactly(Arrays.copyOf(many, 3 * 512));
  }

  @Test
  void whereNoLibraryIsThereIsNothingToMeasure() {
    try (Tuner tuner = tuner()) {
      int before = runtime.count("cudaLaunchKernel");
      small(false, tuner);
      assertThat(runtime.count("cudaLaunchKernel") - before).as("one kernel").isEqualTo(1);
      assertThat(tuner.remembered(KEY)).isEmpty();
    }
  }

  @Test
  void theFasterIsTakenAndRemembered() {
    runtime.elapsed(3, 3, 3, 2, 2, 2);
    float[] fused = small(false, Tuner.off(cuda, memory));
    try (Tuner tuner = tuner()) {
      assertThat(small(true, tuner)).containsExactly(fused);
      assertThat(products).as("while measuring").isEqualTo(1 + Tuner.RUNS);
      assertThat(tuner.remembered(KEY)).contains("fused");
    }
    try (Tuner next = tuner()) {
      assertThat(small(true, next)).containsExactly(fused);
      assertThat(products).as("known").isEqualTo(1 + Tuner.RUNS);
    }
  }

  @Test
  void apartStaysWhereItIsFaster() {
    float[] apart = small(true, Tuner.off(cuda, memory));
    runtime.elapsed(2, 2, 2, 3, 3, 3);
    products = 0;
    try (Tuner tuner = tuner()) {
      assertThat(small(true, tuner)).containsExactly(apart);
      assertThat(products).as("measured, then done").isEqualTo(1 + Tuner.RUNS + 1);
      assertThat(tuner.remembered(KEY)).contains("apart");
    }
  }

  /** Nothing is measured, as for a deterministic device or with a file of another card. */
  @Test
  void apartIsAdvised() {
    small(true, Tuner.off(cuda, memory));
    assertThat(products).isEqualTo(1);
    assertThat(runtime.count("cudaEventRecord")).isZero();
  }

  /** fp32, rows that are not of 16 bytes, sums too short for a tile. */
  @ParameterizedTest
  @CsvSource({"F32, 40, 64", "F16, 36, 64", "BF16, 8, 64"})
  void whatTensorCoresDoNotTakeIsApart(DType dtype, int in, int out) {
    for (boolean library : new boolean[] {true, false}) {
      int before = runtime.count("cudaLaunchKernel");
      try (Tuner tuner = tuner()) {
        multiply(dtype, library, tuner, 3, in, out, true);
      }
      assertThat(runtime.count("cudaLaunchKernel") - before).as("two kernels").isEqualTo(2);
    }
    assertThat(runtime.count("cudaEventRecord")).isZero();
  }
}
