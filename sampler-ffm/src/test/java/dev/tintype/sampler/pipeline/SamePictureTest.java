package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.SamplerException;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.device.ForwardingDevice;
import dev.tintype.sampler.schedule.SchedulerKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A recipe decides its picture, byte for byte, whatever else happens on the device. */
class SamePictureTest {
  private static final Path MODELS = Path.of("src/test/golden/models");

  private static Recipe recipe(
      String prompt, int width, double guidance, String scheduler, long seed) {
    return new Recipe(
        prompt,
        "snow",
        width,
        64,
        4,
        guidance,
        0.3,
        0.5,
        Optional.of(scheduler),
        seed,
        0,
        Optional.empty(),
        Optional.empty());
  }

  private static byte[] alone(DiffusionPipeline pipeline, Recipe recipe) {
    return together(pipeline, List.of(recipe)).getFirst();
  }

  private static List<byte[]> together(DiffusionPipeline pipeline, List<Recipe> recipes) {
    List<Sample> samples = new ArrayList<>(recipes.stream().map(pipeline::admit).toList());
    try {
      List<Sample> running = samples.stream().filter(s -> !s.done()).toList();
      while (!running.isEmpty()) {
        pipeline.step(running);
        running = samples.stream().filter(s -> !s.done()).toList();
      }
      return samples.stream().map(s -> pipeline.decode(s).rgb()).toList();
    } finally {
      samples.forEach(Sample::close);
    }
  }

  private static DiffusionPipeline load(String model, Device device) {
    return DiffusionPipeline.load(MODELS.resolve(model), device, LoadOptions.defaults());
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void aloneInABatchTwiceAndAfterARestart(String deviceName) {
    Recipe recipe = recipe("a red sun", 64, 7.5, "ddim", 11);
    List<Recipe> batch =
        List.of(
            recipe("a house", 64, 5, "euler_a", 12),
            recipe,
            recipe("a lake", 96, 1, "dpmpp_2m", 13),
            recipe("a red sun", 64, 7.5, "lcm", 11));
    byte[] first;
    try (Device device = Devices.open(deviceName, DeviceOptions.defaults());
        DiffusionPipeline pipeline = load("sd-tiny", device)) {
      first = alone(pipeline, recipe);
      List<byte[]> mixed = together(pipeline, batch);
      assertThat(mixed.get(1)).as("in a batch of 4").isEqualTo(first);
      assertThat(alone(pipeline, recipe)).as("again").isEqualTo(first);
      assertThat(alone(pipeline, batch.get(2))).as("of another size").isEqualTo(mixed.get(2));
      assertThat(mixed.get(3)).as("of another scheduler").isNotEqualTo(first);
    }
    try (Device device = Devices.open(deviceName, DeviceOptions.defaults());
        DiffusionPipeline pipeline = load("sd-tiny", device)) {
      assertThat(alone(pipeline, recipe)).as("after a restart").isEqualTo(first);
    }
  }

  /** The oracle, which gives each item of a batch the same bits as alone, taking four at once. */
  private static final class FourAtOnce extends ForwardingDevice {
    FourAtOnce(Device device) {
      super(device);
    }

    @Override
    public int samplesPerCall() {
      return 4;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd-tiny", "sdxl-tiny"})
  void samplesThatGoThroughTheNetworkTogetherStayApart(String model) {
    List<Recipe> batch =
        List.of(
            recipe("a house", 64, 5, "euler_a", 12),
            recipe("a red sun", 64, 7.5, "ddim", 11),
            recipe("a lake", 96, 1, "dpmpp_2m", 13),
            recipe("the moon", 96, 1, "ddim", 14),
            recipe("a red tree", 64, 2, "dpmpp_2m_karras", 11));
    try (Device device = new FourAtOnce(Devices.open("reference", DeviceOptions.defaults()));
        DiffusionPipeline pipeline = load(model, device)) {
      List<byte[]> mixed = together(pipeline, batch);
      for (int i = 0; i < batch.size(); i++) {
        assertThat(alone(pipeline, batch.get(i))).as("picture %d", i).isEqualTo(mixed.get(i));
      }
    }
  }

  /** Each in a process of its own, as far as the device can tell. */
  private static SampleState stopped(String model, Recipe recipe, int step) {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        DiffusionPipeline pipeline = load(model, device);
        Sample sample = pipeline.admit(recipe)) {
      while (sample.stepsDone() < step) {
        pipeline.step(List.of(sample));
      }
      return pipeline.save(sample);
    }
  }

  private static byte[] resumed(String model, Recipe recipe, SampleState state) {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        DiffusionPipeline pipeline = load(model, device);
        Sample sample = pipeline.resume(recipe, state)) {
      assertThat(sample.stepsDone()).isEqualTo(state.stepsDone());
      while (!sample.done()) {
        pipeline.step(List.of(sample));
      }
      return pipeline.decode(sample).rgb();
    }
  }

  private static byte[] undisturbed(String model, Recipe recipe) {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        DiffusionPipeline pipeline = load(model, device)) {
      return alone(pipeline, recipe);
    }
  }

  static List<String> schedulers() {
    return SchedulerKind.userNames();
  }

  @ParameterizedTest
  @MethodSource("schedulers")
  void aSavedSampleGoesOnInAnotherEngineAsIfNothingHappened(String scheduler) {
    Recipe recipe = recipe("a green tree", 64, 4, scheduler, 5).withSteps(6);
    byte[] whole = undisturbed("sd-tiny", recipe);
    for (int step : List.of(0, 1, 3, 5, 6)) {
      SampleState state = stopped("sd-tiny", recipe, step);
      assertThat(resumed("sd-tiny", recipe, state)).as("from step %d", step).isEqualTo(whole);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd-tiny", "sdxl-tiny"})
  void soDoesOneThatStartedFromAPictureWithAMask(String model) {
    Picture photo = new Picture(64, 64, 3, ramp(64 * 64 * 3));
    Picture mask = new Picture(64, 64, 1, ramp(64 * 64));
    Recipe recipe =
        new Recipe(
            "a lake",
            "",
            64,
            64,
            8,
            5,
            0,
            0,
            Optional.of("dpmpp_2m"),
            3,
            0,
            Optional.of(new Recipe.Init(photo, 0.7)),
            Optional.of(mask));
    SampleState state = stopped(model, recipe, 3);
    assertThat(state.predictedOriginal()).isPresent();
    assertThat(resumed(model, recipe, state)).isEqualTo(undisturbed(model, recipe));
  }

  private static float[] ramp(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) i / count;
    }
    return values;
  }

  @Test
  void aStateOfAnotherRecipeIsRefused() {
    Recipe recipe = recipe("a green tree", 64, 4, "dpmpp_2m", 5);
    SampleState state = stopped("sd-tiny", recipe, 2);
    assertRefused(recipe("a green tree", 96, 4, "dpmpp_2m", 5), state);
    assertRefused(recipe, new SampleState(5, state.latents(), state.predictedOriginal()));
    assertRefused(recipe, new SampleState(2, state.latents(), Optional.empty()));
    assertRefused(recipe, new SampleState(2, state.latents(), Optional.of(new float[1])));
  }

  private static void assertRefused(Recipe recipe, SampleState state) {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        DiffusionPipeline pipeline = load("sd-tiny", device)) {
      assertThatThrownBy(() -> pipeline.resume(recipe, state))
          .isInstanceOfSatisfying(
              SamplerException.class, e -> assertThat(e.code()).isEqualTo("recipe.state"));
    }
  }

  @Test
  void previewsAreAsLargeAsTheLatent() {
    try (Device device = Devices.open("reference", DeviceOptions.defaults());
        DiffusionPipeline pipeline = load("sdxl-tiny", device);
        Sample sample = pipeline.admit(recipe("a moon", 96, 5, "euler", 2))) {
      pipeline.step(List.of(sample));
      RgbImage preview = pipeline.preview(sample);
      assertThat(preview.width()).isEqualTo(24);
      assertThat(preview.height()).isEqualTo(16);
      assertThat(sample.timings().stepMs()).isPositive();
      assertThat(sample.timings().textMs()).isPositive();
    }
  }

  @Test
  void tellsWhatItLoaded() {
    List<String> parts = new ArrayList<>();
    LoadOptions options = new LoadOptions((part, fraction) -> parts.add(part));
    try (Device device = Devices.open("reference", DeviceOptions.defaults());
        DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODELS.resolve("sd-inpaint-tiny"), device, options)) {
      ModelInfo info = pipeline.info();
      assertThat(parts).containsExactly("text_encoder", "unet", "vae", "ready");
      assertThat(info.name()).isEqualTo("sd-inpaint-tiny");
      assertThat(info.sizeGranularity()).isEqualTo(4);
      assertThat(info.nativeWidth()).isEqualTo(64);
      assertThat(info.defaultScheduler()).isEqualTo("ddim");
      assertThat(info.inpainting()).isTrue();
      assertThat(info.hash()).matches("[0-9a-f]{64}");
    }
  }

  @Test
  void refusesSizesBetweenTheSteps() {
    try (Device device = Devices.open("reference", DeviceOptions.defaults());
        DiffusionPipeline pipeline = load("sd-tiny", device)) {
      assertThatThrownBy(() -> pipeline.admit(Recipe.of("a", 66, 64, 1)))
          .isInstanceOfSatisfying(
              SamplerException.class, e -> assertThat(e.code()).isEqualTo("recipe.size"));
    }
  }

  @Test
  void oddLatentsComeBackInTheirSize() {
    try (Device device = Devices.open("reference", DeviceOptions.defaults());
        DiffusionPipeline pipeline = load("sd-tiny", device)) {
      Recipe odd = Recipe.of("a", 44, 36, 1).withSteps(2);
      assertThat(alone(pipeline, odd)).hasSize(44 * 36 * 3);
    }
  }
}
