package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.device.ForwardingDevice;
import dev.tintype.sampler.device.Recorder;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.pipeline.DiffusionPipeline;
import dev.tintype.sampler.pipeline.LoadOptions;
import dev.tintype.sampler.pipeline.Recipe;
import dev.tintype.sampler.pipeline.Sample;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole pictures on emulated kernels: recorded steps are the launched ones, bit for bit. */
@Tag("slow")
class CudaPipelineTest {
  private static final Path MODELS = Path.of("src/test/golden/models");

  /** Which of three samples go together, step after step. */
  private static final List<List<Integer>> BATCHES =
      List.of(
          List.of(0),
          List.of(0, 1),
          List.of(0),
          List.of(0, 1, 2),
          List.of(1, 2),
          List.of(2, 0),
          List.of(1),
          List.of(2, 1));

  private final EmulatedCudaRuntime runtime = new EmulatedCudaRuntime();

  @BeforeEach
  void emulator() {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
  }

  private CudaDevice open(Precision precision) {
    return open(precision, EmulatedCudaRuntime.LIBRARIES);
  }

  private CudaDevice open(Precision precision, CudaDevice.Libraries libraries) {
    return CudaDevice.open(
        runtime, 0, DeviceOptions.defaults().withPrecision(precision), libraries);
  }

  /** Shows the inside of the device that is opened with it. */
  private static final class Inside implements CudaDevice.Libraries {
    private Cuda cuda;
    private CudaMemory memory;

    @Override
    public byte[] kernels() {
      return EmulatedCudaRuntime.LIBRARIES.kernels();
    }

    @Override
    public Tuner tuner(Cuda cuda, CudaMemory memory, String card) {
      this.cuda = cuda;
      this.memory = memory;
      return Tuner.off(cuda, memory);
    }
  }

  /** The latents of three samples after {@link #BATCHES}. */
  private static List<float[]> latents(Device device, String model) {
    List<Sample> samples = new ArrayList<>();
    try (DiffusionPipeline pipeline =
        DiffusionPipeline.load(MODELS.resolve(model), device, LoadOptions.defaults())) {
      try {
        for (int i = 0; i < 3; i++) {
          samples.add(pipeline.admit(Recipe.of("a red cat " + i, 32, 32, i).withSteps(8)));
        }
        for (List<Integer> batch : BATCHES) {
          pipeline.step(batch.stream().map(samples::get).toList());
        }
        return samples.stream().map(pipeline::latents).toList();
      } finally {
        samples.forEach(Sample::close);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"sd-tiny, FP32", "sd-tiny, FP16", "sdxl-tiny, FP32"})
  void recordedStepsAreTheLaunchedOnes(String model, Precision precision) {
    List<float[]> launched;
    try (CudaDevice device = open(precision)) {
      launched = latents(unrecorded(device), model);
    }
    assertThat(runtime.count("cudaGraphLaunch")).isZero();
    try (CudaDevice device = open(precision)) {
      List<float[]> recorded = latents(device, model);
      assertThat(runtime.count("cudaGraphInstantiate")).isEqualTo(2);
      assertThat(runtime.count("cudaGraphLaunch")).isEqualTo(5);
      for (int i = 0; i < 3; i++) {
        assertThat(recorded.get(i)).containsExactly(launched.get(i));
      }
      assertThat(device.bytesUsed()).as("workspace still in use").isZero();
    }
    assertThat(runtime.graphsAlive()).isZero();
    assertThat(runtime.bytesTaken()).as("memory not given back").isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate"})
  void whatCannotBeRecordedIsLaunched(String call) {
    List<float[]> launched;
    try (CudaDevice device = open(Precision.FP32)) {
      launched = latents(unrecorded(device), "sd-tiny");
    }
    try (CudaDevice device = open(Precision.FP32)) {
      runtime.failNext(call, 900);
      List<float[]> other = latents(device, "sd-tiny");
      // One of the two kinds of batches was refused, the other was recorded.
      assertThat(runtime.count("cudaGraphLaunch")).isBetween(1, 4);
      for (int i = 0; i < 3; i++) {
        assertThat(other.get(i)).containsExactly(launched.get(i));
      }
      assertThat(device.bytesUsed()).isZero();
    }
    assertThat(runtime.graphsAlive()).isZero();
    assertThat(runtime.bytesTaken()).isZero();
  }

  /** One step is under way while the host prepares the next; the last one is waited for. */
  @Test
  void theHostIsOneStepAhead() {
    int steps = 6;
    Recipe recipe = Recipe.of("a cat", 32, 32, 1).withSteps(steps);
    try (CudaDevice device = open(Precision.FP16);
        DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults());
        Sample waited = pipeline.admit(recipe);
        Sample ahead = pipeline.admit(recipe)) {
      while (!waited.done()) {
        pipeline.step(List.of(waited));
      }
      assertThat(runtime.count("cudaEventQuery")).isZero();
      int waits = runtime.count("cudaStreamSynchronize");
      while (!ahead.done()) {
        pipeline.stepAhead(List.of(ahead));
        assertThat(runtime.count("cudaStreamSynchronize") - waits).isEqualTo(ahead.done() ? 1 : 0);
        // The first has none before it.
        assertThat(runtime.count("cudaEventQuery"))
            .isEqualTo(Math.min(ahead.stepsDone() - 1, steps - 2));
      }
      assertThat(pipeline.latents(ahead)).containsExactly(pipeline.latents(waited));
      assertThat(runtime.count("cudaEventCreateWithFlags")).isEqualTo(steps - 1);
      assertThat(runtime.eventsAlive()).isZero();
      // Each but the last was asked about while the next was there already.
      assertThat(runtime.eventsAsked()).hasSize(steps - 2).isSorted().doesNotHaveDuplicates();
      assertThat(runtime.eventsAsked().getLast())
          .isEqualTo(runtime.eventsAsked().getFirst() + steps - 3);
      // Another batch, before what is under way is done; and an end in the middle.
      try (Sample third = pipeline.admit(recipe)) {
        pipeline.stepAhead(List.of(third));
        pipeline.stepAhead(List.of(third));
      }
    }
    assertThat(runtime.eventsAlive()).isZero();
    assertThat(runtime.bytesTaken()).isZero();
  }

  @Test
  void anErrorOfTheStepBeforeIsToldAndKeepsNothing() {
    try (CudaDevice device = open(Precision.FP16);
        DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults());
        Sample sample = pipeline.admit(Recipe.of("a cat", 32, 32, 1).withSteps(6))) {
      pipeline.stepAhead(List.of(sample));
      pipeline.stepAhead(List.of(sample)); // Records it, which keeps memory.
      long before = device.bytesUsed();
      runtime.failNext("cudaEventQuery", 719);
      assertThatThrownBy(() -> pipeline.stepAhead(List.of(sample)))
          .isInstanceOfSatisfying(
              CudaException.class, e -> assertThat(e.isSticky()).as("the device ends").isTrue())
          .hasMessageContaining("cudaEventQuery");
      assertThat(sample.stepsDone()).as("not moved by the third").isEqualTo(2);
      assertThat(device.bytesUsed()).isEqualTo(before);
    }
  }

  @Test
  void recordingsMakeRoomForDecoding() {
    byte[] picture;
    try (CudaDevice device = open(Precision.FP32)) {
      picture = decodedWithRecordings(device, false);
    }
    try (CudaDevice device = open(Precision.FP32)) {
      assertThat(decodedWithRecordings(device, true)).containsExactly(picture);
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  /**
   * @param full the GPU has no memory left for decoding until something is given back
   */
  private byte[] decodedWithRecordings(CudaDevice device, boolean full) {
    try (DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults());
        Sample sample = pipeline.admit(Recipe.of("a cat", 32, 32, 1).withSteps(4))) {
      while (!sample.done()) {
        pipeline.step(List.of(sample));
      }
      assertThat(runtime.graphsAlive()).isEqualTo(1);
      if (full) {
        // Decoding asks for blocks that no step had; the first such request finds nothing.
        runtime.failNext("cudaMalloc", 2, 2);
      }
      byte[] rgb = pipeline.decode(sample).rgb();
      assertThat(runtime.graphsAlive()).isEqualTo(full ? 0 : 1);
      return rgb;
    }
  }

  /** The scratch of a batch of two, or the result of its UNet, must not go while it is read. */
  @Test
  void memoryMayBeTakenBackInTheMiddleOfAStep() {
    List<float[]> expected;
    try (CudaDevice device = open(Precision.FP32)) {
      expected = latents(device, "sd-tiny");
    }
    int launches = runtime.count("cudaGraphLaunch");
    Inside inside = new Inside();
    try (CudaDevice device = open(Precision.FP32, inside)) {
      List<float[]> found =
          latents(before(device, "guidedStep", () -> inside.memory.makeRoom()), "sd-tiny");
      assertThat(runtime.count("cudaGraphLaunch")).isGreaterThan(launches);
      for (int i = 0; i < 3; i++) {
        assertThat(found.get(i)).containsExactly(expected.get(i));
      }
      assertThat(device.bytesUsed()).isZero();
    }
    assertThat(runtime.graphsAlive()).isZero();
    assertThat(runtime.bytesTaken()).isZero();
  }

  /** A device that does something before every call of one verb. */
  private static Device before(Device device, String verb, Runnable action) {
    Ops ops = device.ops();
    Ops watched =
        (Ops)
            Proxy.newProxyInstance(
                Ops.class.getClassLoader(),
                new Class<?>[] {Ops.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals(verb)) {
                    action.run();
                  }
                  return method.invoke(ops, arguments);
                });
    return new ForwardingDevice(device) {
      @Override
      public Ops ops() {
        return watched;
      }
    };
  }

  @Test
  void recordingsMakeRoomForAPromptAndForASecondModel() {
    try (CudaDevice device = open(Precision.FP32);
        DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults());
        Sample sample = pipeline.admit(Recipe.of("a cat", 32, 32, 1).withSteps(8))) {
      step(pipeline, sample, 3);
      assertThat(runtime.graphsAlive()).isEqualTo(1);
      // Another size: its start asks for blocks that nothing had before.
      runtime.failNext("cudaMalloc", 2, 2);
      pipeline.admit(Recipe.of("a dog", 64, 64, 2).withSteps(2)).close();
      assertThat(runtime.graphsAlive()).isZero();

      step(pipeline, sample, 3);
      assertThat(runtime.graphsAlive()).as("made anew").isEqualTo(1);
      runtime.failNext("cudaMalloc", 2, 2);
      DiffusionPipeline.load(MODELS.resolve("sdxl-tiny"), device, LoadOptions.defaults()).close();
      assertThat(runtime.graphsAlive()).isZero();
      step(pipeline, sample, 2);
    }
    assertThat(runtime.bytesTaken()).isZero();
  }

  private static void step(DiffusionPipeline pipeline, Sample sample, int times) {
    for (int i = 0; i < times; i++) {
      pipeline.step(List.of(sample));
    }
  }

  @Test
  void aStaleRecordingIsMadeAnew() {
    List<float[]> found = new ArrayList<>();
    for (boolean evicted : new boolean[] {false, true}) {
      Inside inside = new Inside();
      try (CudaDevice device = open(Precision.FP32, inside);
          DiffusionPipeline pipeline =
              DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults());
          Sample sample = pipeline.admit(Recipe.of("a cat", 32, 32, 1).withSteps(5))) {
        int made = runtime.count("cudaGraphInstantiate");
        while (!sample.done()) {
          if (evicted && sample.stepsDone() == 3) {
            inside.cuda.givePlanUp();
          }
          pipeline.step(List.of(sample));
        }
        assertThat(runtime.count("cudaGraphInstantiate") - made).isEqualTo(evicted ? 2 : 1);
        found.add(pipeline.latents(sample));
      }
    }
    assertThat(found.get(1)).containsExactly(found.get(0));
    assertThat(runtime.graphsAlive()).isZero();
  }

  @Test
  void aModelThatDoesNotFitIsRefusedBeforeItsFirstWeight() {
    DeviceOptions options = DeviceOptions.defaults().withWorkspaceBytesMax(1 << 20);
    try (CudaDevice device = CudaDevice.open(runtime, 0, options, EmulatedCudaRuntime.LIBRARIES)) {
      int blocks = runtime.count("cudaMalloc");
      assertThatThrownBy(
              () ->
                  DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults()))
          .isInstanceOfSatisfying(
              DeviceException.class,
              e -> assertThat(e.code()).isEqualTo(DeviceException.OUT_OF_MEMORY))
          .hasMessageContaining("sd-tiny needs")
          .hasMessageContaining("1,048,576 are to be had");
      assertThat(runtime.count("cudaMalloc")).isEqualTo(blocks);
    }
  }

  /** Libraries that choose another algorithm for more rows, as cuDNN and cublasLt do. */
  private static final CudaDevice.Libraries BATCH_DEPENDENT =
      new CudaDevice.Libraries() {
        @Override
        public byte[] kernels() {
          return EmulatedCudaRuntime.LIBRARIES.kernels();
        }

        @Override
        public MatrixProduct matrix(
            Cuda cuda, CudaMemory memory, Kernels kernels, DType dtype, Tuner tuner) {
          return new KernelMatrixProduct(kernels) {
            @Override
            public void multiply(Call c) {
              float scale = c.scale() * (1 + c.rows() * 1e-6f);
              super.multiply(
                  new Call(
                      c.x(),
                      c.weights(),
                      c.out(),
                      c.rows(),
                      c.inFeatures(),
                      c.outFeatures(),
                      c.bias(),
                      c.activation(),
                      scale,
                      c.residual(),
                      c.wide()));
            }
          };
        }
      };

  /** The first sample's latent after some steps, alone and beside another. */
  private List<float[]> aloneAndTogether(boolean deterministic) {
    DeviceOptions options =
        DeviceOptions.defaults().withPrecision(Precision.FP32).withDeterministic(deterministic);
    List<float[]> found = new ArrayList<>();
    try (CudaDevice device = CudaDevice.open(runtime, 0, options, BATCH_DEPENDENT);
        DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve("sd-tiny"), device, LoadOptions.defaults())) {
      for (int others = 0; others < 2; others++) {
        try (Sample sample = pipeline.admit(Recipe.of("a cat", 32, 32, 7).withSteps(4));
            Sample other = pipeline.admit(Recipe.of("a dog", 32, 32, 8).withSteps(4))) {
          for (int step = 0; step < 4; step++) {
            pipeline.step(others == 0 ? List.of(sample) : List.of(other, sample));
          }
          found.add(pipeline.latents(sample));
        }
      }
    }
    return found;
  }

  @Test
  void aDeterministicPictureDoesNotDependOnItsBatch() {
    List<float[]> free = aloneAndTogether(false);
    assertThat(free.get(1)).as("the libraries do depend on it").isNotEqualTo(free.get(0));
    List<float[]> fixed = aloneAndTogether(true);
    assertThat(fixed.get(1)).containsExactly(fixed.get(0));
    assertThat(fixed.get(0)).as("and alone nothing changes").containsExactly(free.get(0));
  }

  /** What was measured on a batch, or by another process, may not decide its bits. */
  @Test
  void aDeterministicDeviceAsksNoTuner() {
    CudaDevice.Libraries asked =
        new CudaDevice.Libraries() {
          @Override
          public byte[] kernels() {
            return EmulatedCudaRuntime.LIBRARIES.kernels();
          }

          @Override
          public Tuner tuner(Cuda cuda, CudaMemory memory, String card) {
            throw new IllegalStateException("asked");
          }

          @Override
          public MatrixProduct matrix(
              Cuda cuda, CudaMemory memory, Kernels kernels, DType dtype, Tuner tuner) {
            assertThat(tuner.measures()).isFalse();
            return new KernelMatrixProduct(kernels);
          }
        };
    DeviceOptions options = DeviceOptions.defaults();
    CudaDevice.open(runtime, 0, options.withDeterministic(true), asked).close();
    assertThatThrownBy(() -> CudaDevice.open(runtime, 0, options, asked)).hasMessage("asked");
  }

  /** A device that launches everything. */
  private static Device unrecorded(Device device) {
    return new ForwardingDevice(device) {
      @Override
      public Optional<Recorder> recorder() {
        return Optional.empty();
      }
    };
  }
}
