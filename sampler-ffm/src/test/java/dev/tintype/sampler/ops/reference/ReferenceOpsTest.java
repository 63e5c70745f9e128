package dev.tintype.sampler.ops.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.Activation;
import dev.tintype.sampler.ops.ChannelBias;
import dev.tintype.sampler.ops.Conv2dGeometry;
import dev.tintype.sampler.ops.Epilogue;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.StepCoefficients;
import dev.tintype.sampler.weights.HostTensor;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The oracle against values worked out by hand or taken from tables. */
class ReferenceOpsTest {
  private final Ops ops = new ReferenceDevice().ops();

  @ParameterizedTest
  @CsvSource({
    // Abramowitz and Stegun, table 7.1
    "0.5, 0.5204998778130465",
    "1, 0.8427007929497149",
    "2, 0.9953222650189527",
    "-1, -0.8427007929497149",
    "0, 0",
    "3.5, 0.9999992569016276",
    "9, 1"
  })
  void errorFunction(double x, double expected) {
    assertThat(ReferenceActivation.erf(x)).isCloseTo(expected, within(2e-15));
  }

  @Test
  void convolutionPadsRightAndBottomOnly() {
    Tensor x = ops.upload(new float[] {1, 2, 3, 4}, Shape.of(1, 2, 2, 1));
    var weights =
        ops.prepareConv2d(
            HostTensor.of("w", new float[] {1, 10, 100, 1000}, 1, 1, 2, 2),
            Optional.of(HostTensor.of("b", new float[] {0.5f}, 1)),
            new Conv2dGeometry(2, 2, 1, 0, 0, 1, 1));
    Tensor y = ops.conv2d(x, weights, Epilogue.NONE);
    assertThat(y.shape()).isEqualTo(Shape.of(1, 2, 2, 1));
    assertThat(ops.download(y)).containsExactly(4321.5f, 402.5f, 43.5f, 4.5f);
  }

  @Test
  void epilogueInItsOrder() {
    Tensor x = ops.upload(new float[] {1, 2, 3, 4}, Shape.of(2, 2));
    var weights =
        ops.prepareLinear(
            HostTensor.of("w", new float[] {1, 1}, 1, 2),
            Optional.of(HostTensor.of("b", new float[] {-4}, 1)));
    Epilogue epilogue =
        Epilogue.of(Activation.RELU)
            .withScale(3)
            .withResidual(ops.upload(new float[] {100, 200}, Shape.of(2, 1)));
    // relu(3 - 4) * 3 + 100 and relu(7 - 4) * 3 + 200
    assertThat(ops.download(ops.linear(x, weights, epilogue))).containsExactly(100, 209);
  }

  @Test
  void groupNormalisationSeesItsOwnGroupOnly() {
    Tensor x = ops.upload(new float[] {1, 5, 7, 3, 7, 9}, Shape.of(1, 2, 3));
    var weights =
        ops.prepareNorm(
            HostTensor.of("s", new float[] {1, 1, 2}, 3),
            HostTensor.of("t", new float[] {0, 10, 0}, 3));
    float[] y = ops.download(ops.groupNorm(x, weights, 3, 0, Activation.NONE));
    assertThat(y[0]).isEqualTo(-1);
    assertThat(y[3]).isEqualTo(1);
    assertThat(y[4]).isEqualTo(11);
    assertThat(y[2]).isEqualTo(-2);
  }

  /** Each sample has its own: columns 1 and 2 of its row. */
  @Test
  void groupNormalisationOfASum() {
    Tensor x = ops.upload(new float[] {1, 5, 3, 7, 1, 1, 1, 1}, Shape.of(2, 2, 2));
    Tensor rows = ops.upload(new float[] {50, 4, 0, 60, 0, 2}, Shape.of(2, 3));
    var weights =
        ops.prepareNorm(
            HostTensor.of("s", new float[] {1, 1}, 2), HostTensor.of("t", new float[] {0, 10}, 2));
    float[] y =
        ops.download(
            ops.groupNorm(
                x, Optional.of(new ChannelBias(rows, 1)), weights, 1, 0, Activation.NONE));
    // 5 5 7 7 and 1 3 1 3
    assertThat(y).containsExactly(-1, 9, 1, 11, -1, 11, -1, 11);
    assertThatThrownBy(
            () ->
                ops.groupNorm(
                    x, Optional.of(new ChannelBias(rows, 2)), weights, 1, 0, Activation.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("from column 2");
  }

  @Test
  void causalAttentionSeesThePastOnly() {
    Tensor q = ops.upload(new float[] {1, 1}, Shape.of(1, 2, 1));
    Tensor k = ops.upload(new float[] {0, (float) Math.log(3)}, Shape.of(1, 2, 1));
    Tensor v = ops.upload(new float[] {4, 8}, Shape.of(1, 2, 1));
    assertThat(ops.download(ops.attention(q, k, v, 1, 1, true))).containsExactly(4, 7);
    assertThat(ops.download(ops.attention(q, k, v, 1, 1, false))).containsExactly(7, 7);
  }

  @Test
  void nearestUpsamplingRoundsDown() {
    Tensor x = ops.upload(new float[] {1, 2, 3}, Shape.of(1, 1, 3, 1));
    assertThat(ops.download(ops.upsampleNearest(x, 1, 5))).containsExactly(1, 1, 2, 2, 3);
  }

  @Test
  void pixelUnshuffleOrdersChannelsAsTorch() {
    Tensor x = ops.upload(new float[] {1, 10, 2, 20, 3, 30, 4, 40}, Shape.of(1, 2, 2, 2));
    assertThat(ops.download(ops.pixelUnshuffle(x, 2))).containsExactly(1, 2, 3, 4, 10, 20, 30, 40);
  }

  @Test
  void timestepEmbeddingHalves() {
    float[] sinFirst = ops.download(ops.timestepEmbedding(new double[] {2}, 4, false, 0));
    float[] cosFirst = ops.download(ops.timestepEmbedding(new double[] {2}, 4, true, 0));
    assertThat(sinFirst[0]).isCloseTo((float) Math.sin(2), within(1e-7f));
    assertThat(sinFirst[1]).isCloseTo((float) Math.sin(0.02), within(1e-8f));
    assertThat(cosFirst[0]).isEqualTo(sinFirst[2]).isCloseTo((float) Math.cos(2), within(1e-7f));
    assertThat(cosFirst[2]).isEqualTo(sinFirst[0]);
  }

  @Test
  void rescaledGuidanceHasTheStandardDeviationOfTheText() {
    Tensor uncond = ops.upload(new float[] {0, 0, 0, 0}, Shape.of(2, 2));
    Tensor text = ops.upload(new float[] {1, 3, 1, 3}, Shape.of(2, 2));
    assertThat(ops.download(ops.guide(uncond, text, 5, 0))).containsExactly(5, 15, 5, 15);
    assertThat(ops.download(ops.guide(uncond, text, 5, 0.5f))).containsExactly(3, 9, 3, 9);
  }

  @Test
  void stepByItsCoefficients() {
    Tensor sample = ops.upload(new float[] {1, 2}, Shape.of(2, 1));
    Tensor model = ops.upload(new float[] {10, 20}, Shape.of(2, 1));
    Tensor noise = ops.upload(new float[] {1000, 2000}, Shape.of(2, 1));
    var plain = new StepCoefficients(1, 1, Double.POSITIVE_INFINITY, 2, 0, 0, 0, 0);
    try (var stepped = ops.step(sample, model, Optional.empty(), Optional.empty(), plain)) {
      assertThat(ops.download(stepped.predictedOriginal())).containsExactly(11, 22);
      assertThat(ops.download(stepped.previous())).containsExactly(22, 44);
    }
    var noisy = new StepCoefficients(1, 1, 5, 1, 1, 1, 0, 1);
    try (var stepped = ops.step(sample, model, Optional.empty(), Optional.of(noise), noisy)) {
      assertThat(ops.download(stepped.predictedOriginal())).containsExactly(5, 5);
      assertThat(ops.download(stepped.previous())).containsExactly(1016, 2027);
    }
  }

  @Test
  void pixelsRoundHalfToEven() {
    float half = 2 * (0.5f / 255) - 1;
    Tensor image = ops.upload(new float[] {-2, half, 1}, Shape.of(1, 1, 1, 3));
    assertThat(ops.toRgb8(image)).containsExactly(0, 0, 255);
  }

  @Test
  void geglu() {
    Tensor x = ops.upload(new float[] {3, 5, 0, 1}, Shape.of(1, 4));
    float[] y = ops.download(ops.geglu(x));
    assertThat(y[0]).isZero();
    assertThat(y[1]).isCloseTo(5 * 0.8413447f, within(1e-6f));
  }
}
