package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.pipeline.DiffusionPipeline;
import dev.tintype.sampler.pipeline.LoadOptions;
import dev.tintype.sampler.pipeline.Picture;
import dev.tintype.sampler.pipeline.Recipe;
import dev.tintype.sampler.pipeline.Sample;
import dev.tintype.sampler.weights.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The GPU's memory ends at each request in turn: a worker goes on after that, so what was begun
 * must keep none, and the same work done again must give the same.
 */
@Tag("slow")
class CudaShortageTest {
  private static final Path MODELS = Path.of("src/test/golden/models");

  /** More requests than any of this work makes. */
  private static final int REQUESTS_MAX = 4000;

  private final EmulatedCudaRuntime runtime = new EmulatedCudaRuntime();
  private CudaMemory memory;

  @BeforeEach
  void emulator() {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
  }

  private CudaDevice open() {
    return CudaDevice.open(
        runtime,
        0,
        DeviceOptions.defaults().withPrecision(Precision.FP32),
        new CudaDevice.Libraries() {
          @Override
          public byte[] kernels() {
            return EmulatedCudaRuntime.LIBRARIES.kernels();
          }

          @Override
          public MatrixProduct matrix(
              Cuda cuda, CudaMemory pool, Kernels kernels, DType dtype, Tuner tuner) {
            memory = pool;
            return new KernelMatrixProduct(kernels);
          }
        });
  }

  /** In 16 bits, with every convolution padded that can be. */
  private CudaDevice openPadding() {
    return CudaDevice.open(
        runtime,
        0,
        DeviceOptions.defaults().withPrecision(Precision.FP16),
        new ChannelPaddingTest.PaddingLibraries() {
          @Override
          public MatrixProduct matrix(
              Cuda cuda, CudaMemory pool, Kernels kernels, DType dtype, Tuner tuner) {
            memory = pool;
            return new KernelMatrixProduct(kernels);
          }
        });
  }

  /** Ends the memory after none, one, two... new blocks, until the work is done. */
  private int failEverywhere(Runnable work) {
    return failEvery(1, work);
  }

  /** As the other, at every so-manieth request. */
  private int failEvery(int stride, Runnable work) {
    for (int successes = 0; successes < REQUESTS_MAX; successes += stride) {
      memory.makeRoom();
      long before = memory.bytesUsed();
      runtime.failAfter("cudaMalloc", successes, 2);
      try {
        work.run();
        return successes;
      } catch (DeviceException e) {
        assertThat(e.code()).isEqualTo(DeviceException.OUT_OF_MEMORY);
        if (memory.bytesUsed() != before) {
          throw new AssertionError(memory.bytesUsed() - before + " bytes are kept", e);
        }
      } finally {
        runtime.heal();
      }
    }
    throw new AssertionError("it never ends");
  }

  private static Picture picture(int channels) {
    float[] values = new float[32 * 32 * channels];
    Arrays.fill(values, 0, values.length / 2, 1);
    return new Picture(32, 32, channels, values);
  }

  private static Recipe from(Recipe r, Recipe.Init init, Optional<Picture> mask) {
    return new Recipe(
        r.prompt(),
        r.negativePrompt(),
        r.width(),
        r.height(),
        r.steps(),
        r.guidanceScale(),
        r.guidanceRescale(),
        r.eta(),
        r.scheduler(),
        r.seed(),
        r.clipSkip(),
        Optional.of(init),
        mask);
  }

  @Test
  void anAdmission() {
    Recipe plain = Recipe.of("a cat", 32, 32, 1).withSteps(2);
    Recipe.Init init = new Recipe.Init(picture(3), 0.5);
    try (CudaDevice device = open()) {
      for (String model : List.of("sd-tiny", "sdxl-tiny", "sd-inpaint-tiny")) {
        try (DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve(model), device, LoadOptions.defaults())) {
          for (Recipe recipe :
              List.of(
                  plain,
                  from(plain, init, Optional.empty()),
                  from(plain, init, Optional.of(picture(1))))) {
            if (!pipeline.info().inpainting() || recipe.mask().isPresent()) {
              assertThat(failEverywhere(() -> pipeline.admit(recipe).close())).isPositive();
              assertThat(memory.bytesUsed()).isZero();
            }
          }
        }
      }
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void stepsAndDecoding() {
    Recipe recipe = Recipe.of("a cat", 32, 32, 1).withSteps(3);
    Recipe other = Recipe.of("a dog", 32, 32, 2).withSteps(3);
    try (CudaDevice device = open();
        DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults())) {
      float[] expected;
      try (Sample sample = pipeline.admit(recipe);
          Sample beside = pipeline.admit(other)) {
        while (!sample.done()) {
          pipeline.step(List.of(sample, beside));
        }
        expected = pipeline.latents(sample);
      }
      try (Sample sample = pipeline.admit(recipe);
          Sample beside = pipeline.admit(other)) {
        while (!sample.done()) {
          int done = sample.stepsDone();
          failEvery(3, () -> pipeline.step(List.of(sample, beside)));
          assertThat(sample.stepsDone()).isEqualTo(done + 1);
          assertThat(beside.stepsDone()).isEqualTo(done + 1);
        }
        assertThat(pipeline.latents(sample)).containsExactly(expected);
        assertThat(failEverywhere(() -> pipeline.decode(sample))).isPositive();
      }
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void aPaddedConvolution() {
    HostTensor weight = HostTensor.of("weight", new float[4 * 9 * 3 * 3], 4, 9, 3, 3);
    Optional<HostTensor> bias = Optional.of(HostTensor.of("bias", new float[] {1, 2, 3, 4}, 4));
    Conv2dGeometry geometry = Conv2dGeometry.square(3, 1, 1);
    try (CudaDevice device = openPadding();
        Tensor x = device.ops().zeros(Shape.of(1, 2, 3, 9))) {
      long before = device.bytesHeld();
      // Weights, bias, padded weights, result, padded input, padded result.
      int requests =
          failEverywhere(
              () -> {
                try (var weights = device.ops().prepareConv2d(weight, bias, geometry);
                    Tensor out = device.ops().conv2d(x, weights, Epilogue.NONE)) {
                  assertThat(device.ops().download(out)).startsWith(1, 2, 3, 4, 1, 2, 3, 4);
                }
              });
      assertThat(requests).isEqualTo(6);
      memory.makeRoom();
      assertThat(device.bytesHeld()).isEqualTo(before);
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void theLoadOfAModel() {
    try (CudaDevice device = open()) {
      long before = device.bytesHeld();
      int weights =
          failEvery(
              7,
              () ->
                  DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults())
                      .close());
      assertThat(weights).isGreaterThan(100);
      memory.makeRoom();
      assertThat(device.bytesHeld()).isEqualTo(before);
    }
    assertThat(runtime.bytesTaken()).isZero();
  }
}
