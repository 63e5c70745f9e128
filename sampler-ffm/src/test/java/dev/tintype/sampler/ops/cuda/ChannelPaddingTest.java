package dev.tintype.sampler.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.DeviceOptions.Precision;
import dev.tintype.sampler.device.Graph;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.PreparedWeights;
import dev.tintype.sampler.ops.reference.ReferenceDevice;
import dev.tintype.sampler.weights.HostTensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Convolutions of few channels in 16-bit types, padded as our kernels and as cuDNN take them. */
class ChannelPaddingTest {
  private static final List<Conv2dGeometry> GEOMETRIES =
      List.of(
          Conv2dGeometry.square(3, 1, 1),
          Conv2dGeometry.square(3, 2, 1),
          new Conv2dGeometry(3, 3, 2, 0, 0, 1, 1),
          Conv2dGeometry.square(1, 1, 0),
          Conv2dGeometry.square(1, 2, 0));

  private final Random random = new Random(8);
  private final Ops reference = new ReferenceDevice().ops();

  @BeforeEach
  void emulator() {
    assumeTrue(EmulatedCudaRuntime.isPresent(), "no g++: the kernels' emulator was not built");
  }

  /** Who is given the padded problem. */
  enum By {
    /** Our kernels, which pad the input alone. */
    OWN,
    /** One that sees nothing but multiples of 8, as cuDNN does. */
    LIBRARY
  }

  private static CudaDevice open(Precision precision, By by) {
    return CudaDevice.open(
        new EmulatedCudaRuntime(),
        0,
        DeviceOptions.defaults().withPrecision(precision),
        by == By.OWN ? EmulatedCudaRuntime.LIBRARIES : new PaddingLibraries());
  }

  /** Gives every convolution that can be padded to our kernels as a padded one. */
  static class PaddingLibraries implements CudaDevice.Libraries {
    @Override
    public byte[] kernels() {
      return EmulatedCudaRuntime.LIBRARIES.kernels();
    }

    @Override
    public Convolution convolution(
        Cuda cuda,
        CudaMemory memory,
        Kernels kernels,
        DType dtype,
        MatrixProduct matrix,
        Tuner tuner) {
      ChannelPadding padding = new ChannelPadding(memory, kernels);
      KernelConvolution own = new KernelConvolution(kernels, padding);
      return new Convolution() {
        @Override
        public void convolve(Problem problem, Call call) {
          if (call.paddedWeights() == 0) {
            own.convolve(problem, call);
            return;
          }
          Problem wide = ChannelPadding.padded(problem);
          assertThat(wide.inChannels() % 8 + wide.outChannels() % 8).isZero();
          padding.around(problem, call, inner -> own.convolve(wide, inner));
        }

        @Override
        public String description() {
          return "padded";
        }

        @Override
        public void close() {
          own.close();
        }
      };
    }
  }

  private float[] values(Ops rounding, double deviation, long... dims) {
    Shape shape = Shape.of(dims);
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    try (Tensor rounded = rounding.upload(values, shape)) {
      return rounding.download(rounded);
    }
  }

  /** One convolution's operands, of values that the device's type has. */
  private record Operands(
      Conv2dGeometry geometry,
      Shape x,
      float[] values,
      HostTensor weight,
      Optional<HostTensor> bias,
      Activation activation,
      float scale,
      Optional<float[]> residual) {

    Shape result() {
      return geometry.output(x, weight.shape().dim(0));
    }

    float[] convolve(Ops ops) {
      try (Tensor input = ops.upload(values, x)) {
        return convolve(ops, input);
      }
    }

    float[] convolve(Ops ops, Tensor input) {
      try (PreparedWeights.Conv2d weights = ops.prepareConv2d(weight, bias, geometry)) {
        Shape result = result();
        Epilogue epilogue = Epilogue.of(activation).withScale(scale);
        try (Tensor other =
            ops.upload(
                residual.orElse(new float[1]), residual.isPresent() ? result : Shape.of(1))) {
          epilogue = residual.isPresent() ? epilogue.withResidual(other) : epilogue;
          try (Tensor out = ops.conv2d(input, weights, epilogue)) {
            return ops.download(out);
          }
        }
      }
    }
  }

  private Operands operands(Ops ops, Conv2dGeometry geometry, int in, int out, int parts) {
    Shape x = Shape.of(2, 7, 9, in);
    double deviation = 1 / Math.sqrt(in * geometry.kernelHeight() * geometry.kernelWidth());
    HostTensor weight =
        HostTensor.of(
            "weight",
            values(ops, deviation, out, in, geometry.kernelHeight(), geometry.kernelWidth()),
            out,
            in,
            geometry.kernelHeight(),
            geometry.kernelWidth());
    Shape result = geometry.output(x, out);
    return new Operands(
        geometry,
        x,
        values(ops, 1, x.dims()),
        weight,
        (parts & 1) != 0
            ? Optional.of(HostTensor.of("bias", values(ops, 1, out), out))
            : Optional.empty(),
        (parts & 2) != 0 ? Activation.SILU : Activation.NONE,
        (parts & 4) != 0 ? 0.75f : 1,
        (parts & 8) != 0 ? Optional.of(values(ops, 1, result.dims())) : Optional.empty());
  }

  /** Half a unit of the result, and of the sum before it where that is rounded as well. */
  private static float bound(Precision precision, float[] expected) {
    float largest = 1;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    return 2 * largest * (precision == Precision.FP16 ? 0x1p-11f : 0x1p-8f);
  }

  private static void assertClose(float[] found, float[] expected, float bound, String what) {
    assertThat(found).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      if (!(Math.abs(found[i] - expected[i]) <= bound)) {
        throw new AssertionError(
            "%s: element %d is %s, expected %s within %s"
                .formatted(what, i, found[i], expected[i], bound));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"FP16, OWN", "FP16, LIBRARY", "BF16, OWN", "BF16, LIBRARY", "FP32, LIBRARY"})
  void givesWhatTheReferenceGives(Precision precision, By by) {
    try (CudaDevice device = open(precision, by)) {
      Ops ops = device.ops();
      int parts = 0;
      for (Conv2dGeometry geometry : GEOMETRIES) {
        for (int in : new int[] {3, 4, 9, 16}) {
          for (int out : new int[] {3, 4, 9, 24}) {
            // Each part with each other one, and all of them, over the shapes.
            parts = (parts + 7) % 16;
            Operands operands = operands(ops, geometry, in, out, parts);
            float[] expected = operands.convolve(reference);
            assertClose(
                operands.convolve(ops),
                expected,
                bound(precision, expected),
                List.of(geometry, in, out, parts).toString());
          }
        }
      }
      assertThat(device.bytesUsed()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(By.class)
  void aSampleAtAnyAddressHasTheSameBits(By by) {
    try (CudaDevice device = open(Precision.FP16, by)) {
      Ops ops = device.ops();
      Operands both = operands(ops, Conv2dGeometry.square(3, 1, 1), 3, 3, 2);
      float[] whole = both.convolve(ops);
      Operands one =
          new Operands(
              both.geometry(),
              both.x().with(0, 1),
              new float[0],
              both.weight(),
              both.bias(),
              both.activation(),
              both.scale(),
              Optional.empty());
      // The second sample begins at no multiple of 4 bytes.
      assertThat(7 * 9 * 3 * 2 % 4).isEqualTo(2);
      try (Tensor batch = ops.upload(both.values(), both.x())) {
        float[] alone = one.convolve(ops, batch.slice(1, 2));
        assertThat(alone).isEqualTo(Arrays.copyOfRange(whole, whole.length / 2, whole.length));
      }
    }
  }

  /** Without a way over fp32, the same. */
  @ParameterizedTest
  @EnumSource(By.class)
  void weightsOfTheDevicesTypeGiveTheSameBits(By by) {
    try (CudaDevice device = open(Precision.FP16, by)) {
      Ops ops = device.ops();
      Operands wide = operands(ops, Conv2dGeometry.square(3, 1, 1), 9, 4, 9);
      float[] values = wide.weight().toFloats();
      short[] half = new short[values.length];
      for (int i = 0; i < half.length; i++) {
        half[i] = Float.floatToFloat16(values[i]);
      }
      HostTensor weight =
          new HostTensor("weight", DType.F16, wide.weight().shape(), MemorySegment.ofArray(half));
      Operands same =
          new Operands(
              wide.geometry(),
              wide.x(),
              wide.values(),
              weight,
              wide.bias(),
              wide.activation(),
              wide.scale(),
              wide.residual());
      assertThat(same.convolve(ops)).isEqualTo(wide.convolve(ops));
    }
  }

  @ParameterizedTest
  @CsvSource({
    // 2 (16 x 3 x 3 x 4 + 16 x 3 x 3 x 8 + 16): rows of 4 padded to 8.
    "FP16, 3, 4, 16, 3488",
    // 2 (4 x 3 x 3 x 16 + 8 x 3 x 3 x 16 + 4): four rows more.
    "BF16, 3, 16, 4, 3464",
    // Nothing to pad, a linear layer, and a type that needs it not.
    "FP16, 3, 8, 16, 2336",
    "FP16, 1, 4, 4, 40",
    "FP32, 3, 4, 16, 2368",
  })
  void paddedWeightsCount(Precision precision, int kernel, int in, int out, long bytes) {
    try (CudaDevice device = open(precision, By.OWN)) {
      long before = device.bytesHeld();
      HostTensor weight =
          HostTensor.of("weight", new float[out * in * kernel * kernel], out, in, kernel, kernel);
      HostTensor bias = HostTensor.of("bias", new float[out], out);
      try (PreparedWeights.Conv2d weights =
          device
              .ops()
              .prepareConv2d(
                  weight, Optional.of(bias), Conv2dGeometry.square(kernel, 1, kernel / 2))) {
        assertThat(weights.bytes()).isEqualTo(bytes);
        // Blocks of less count as 256 bytes.
        assertThat(device.bytesHeld() - before).isGreaterThanOrEqualTo(bytes);
      }
      assertThat(device.bytesHeld()).isEqualTo(before);
    }
  }

  @Test
  void aRecordingHasItsScratchForItself() {
    try (CudaDevice device = open(Precision.FP16, By.LIBRARY)) {
      CudaOps ops = (CudaOps) device.ops();
      Operands operands = operands(ops, Conv2dGeometry.square(3, 1, 1), 4, 4, 3);
      Tensor[] out = new Tensor[1];
      try (Tensor x = ops.zeros(operands.x());
          Tensor later = ops.upload(operands.values(), operands.x());
          PreparedWeights.Conv2d weights =
              ops.prepareConv2d(operands.weight(), operands.bias(), operands.geometry());
          Graph graph =
              device
                  .recorder()
                  .orElseThrow()
                  .record(
                      () -> out[0] = ops.conv2d(x, weights, Epilogue.of(operands.activation())))) {
        device.recorder().orElseThrow().copy(later, x);
        // As large as the scratch: whoever asks meanwhile gets another block.
        try (Tensor bystander = ops.zeros(Shape.of(2, 7, 9, 8))) {
          graph.replay();
          assertThat(ops.download(out[0])).isEqualTo(operands.convolve(ops));
          assertThat(ops.download(bystander)).containsOnly(0);
        }
        out[0].close();
      }
      assertThat(device.bytesUsed()).isZero();
    }
  }
}
