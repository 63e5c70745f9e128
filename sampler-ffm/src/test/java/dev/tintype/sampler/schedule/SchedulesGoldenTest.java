package dev.tintype.sampler.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.config.JsonFile;
import dev.tintype.sampler.ops.StepCoefficients;
import dev.tintype.sampler.weights.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every scheduler case made with diffusers, replayed from the plan's numbers alone. Each step
 * starts at diffusers' own sample: over a whole chain its fp32 rounding alone adds up to 2e-5 where
 * samples reach 60 (dpmpp-2m-karras against the same formulas in fp64).
 */
class SchedulesGoldenTest {
  private static final Path CASES = Path.of("src/test/golden/cases");

  static Stream<Path> cases() throws IOException {
    return Files.list(CASES)
        .filter(path -> path.getFileName().toString().startsWith("scheduler-"))
        .sorted();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void replaysTheChain(Path folder) {
    JsonNode testCase = JsonFile.read(folder.resolve("case.json"));
    JsonNode stepArgs = testCase.get("step_args");
    SchedulerConfig config =
        SchedulerConfig.of(testCase.get("scheduler").asText(), testCase.get("config"));
    SchedulePlan plan =
        Schedules.plan(
            config,
            testCase.get("num_inference_steps").asInt(),
            new Schedules.Options(
                stepArgs.path("eta").asDouble(0),
                stepArgs.path("use_clipped_model_output").asBoolean(false),
                0));
    double tolerance = testCase.get("tolerance").get("max_abs").asDouble();
    try (Checkpoint inputs = Checkpoint.open(folder.resolve("inputs.safetensors"));
        Checkpoint expected = Checkpoint.open(folder.resolve("expected.safetensors"))) {
      float[] timesteps = expected.get("timesteps").toFloats();
      assertThat(plan.steps()).isEqualTo(timesteps.length);
      for (int i = 0; i < timesteps.length; i++) {
        assertThat(plan.timestep(i)).isCloseTo(timesteps[i], within(2e-4));
      }
      assertClose(plan.alphasCumprod(), expected.get("alphas_cumprod").toFloats(), 1e-6);
      assertThat(plan.initNoiseSigma())
          .isCloseTo(expected.get("init_noise_sigma").toFloats()[0], within(tolerance));
      if (expected.contains("sigmas")) {
        float[] sigmas = expected.get("sigmas").toFloats();
        for (int i = 0; i < sigmas.length; i++) {
          assertThat(plan.sigmas()[i]).isCloseTo(sigmas[i], within(tolerance));
        }
      }
      float[] sample = inputs.get("sample").toFloats();
      float[] history = new float[sample.length];
      for (int step = 0; step < plan.steps(); step++) {
        float[] scaled = new float[sample.length];
        for (int j = 0; j < sample.length; j++) {
          scaled[j] = (float) (sample[j] * plan.modelInputScale(step));
        }
        assertClose(scaled, expected.get("model_input." + step).toFloats(), tolerance);
        float[] model = inputs.get("model_output." + step).toFloats();
        float[] noise =
            inputs.contains("noise." + step)
                ? inputs.get("noise." + step).toFloats()
                : new float[sample.length];
        assertThat(!plan.drawsNoise(step) || inputs.contains("noise." + step)).isTrue();
        StepCoefficients c = plan.coefficients(step);
        float[] previous = new float[sample.length];
        for (int j = 0; j < sample.length; j++) {
          double x0 =
              Math.clamp(
                  c.x0Sample() * sample[j] + c.x0Model() * model[j], -c.clipRange(), c.clipRange());
          previous[j] =
              (float)
                  (c.prevX0() * x0
                      + c.prevSample() * sample[j]
                      + c.prevModel() * model[j]
                      + c.prevHistory() * history[j]
                      + c.prevNoise() * noise[j]);
          history[j] = (float) x0;
        }
        assertClose(previous, expected.get("prev_sample." + step).toFloats(), tolerance);
        if (expected.contains("pred_original_sample." + step)) {
          assertClose(history, expected.get("pred_original_sample." + step).toFloats(), 1e-4);
        }
        sample = expected.get("prev_sample." + step).toFloats();
      }
    }
  }

  private static void assertClose(float[] found, float[] expected, double tolerance) {
    assertThat(found).hasSameSizeAs(expected);
    double worst = 0;
    for (int i = 0; i < found.length; i++) {
      worst = Math.max(worst, Math.abs((double) found[i] - expected[i]));
      assertThat(Float.isNaN(found[i])).isFalse();
    }
    assertThat(worst).isLessThanOrEqualTo(tolerance);
  }
}
