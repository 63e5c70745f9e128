package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.SamplerException;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.ops.Ops;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
  private record FourAtOnce(Device device) implements Device {
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
      return 4;
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

  @Test
  void aSavedSampleGoesOnAsIfNothingHappened() {
    Recipe recipe = recipe("a green tree", 64, 4, "dpmpp_2m", 5);
    try (Device device = Devices.open("reference", DeviceOptions.defaults());
        DiffusionPipeline pipeline = load("sd-tiny", device)) {
      byte[] whole = alone(pipeline, recipe);
      SampleState state;
      try (Sample sample = pipeline.admit(recipe)) {
        pipeline.step(List.of(sample));
        pipeline.step(List.of(sample));
        state = pipeline.save(sample);
      }
      try (Sample sample = pipeline.resume(recipe, state)) {
        assertThat(sample.stepsDone()).isEqualTo(2);
        while (!sample.done()) {
          pipeline.step(List.of(sample));
        }
        assertThat(pipeline.decode(sample).rgb()).isEqualTo(whole);
      }
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
