package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.SamplerException;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecipeTest {
  private static Recipe recipe(
      String prompt,
      int width,
      int height,
      int steps,
      double guidance,
      double rescale,
      double eta) {
    return new Recipe(
        prompt,
        "",
        width,
        height,
        steps,
        guidance,
        rescale,
        eta,
        Optional.empty(),
        1,
        0,
        Optional.empty(),
        Optional.empty());
  }

  private static void refused(
      String code, org.assertj.core.api.ThrowableAssert.ThrowingCallable make) {
    assertThatThrownBy(make)
        .isInstanceOfSatisfying(
            SamplerException.class,
            e -> org.assertj.core.api.Assertions.assertThat(e.code()).isEqualTo(code));
  }

  @Test
  void acceptsThePlain() {
    assertThatCode(() -> recipe("", 64, 64, 1, 0, 0, 0)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, -1, 101, Double.POSITIVE_INFINITY})
  void refusesGuidance(double guidance) {
    refused("recipe.guidance", () -> recipe("a", 64, 64, 4, guidance, 0, 0));
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, -0.1, 1.1})
  void refusesRescaleAndEta(double value) {
    refused("recipe.guidance", () -> recipe("a", 64, 64, 4, 7, value, 0));
    refused("recipe.eta", () -> recipe("a", 64, 64, 4, 7, 0, value));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -8, 7, 4_097, Integer.MAX_VALUE})
  void refusesExtents(int pixels) {
    refused("recipe.size", () -> recipe("a", pixels, 64, 4, 7, 0, 0));
    refused("recipe.size", () -> recipe("a", 64, pixels, 4, 7, 0, 0));
  }

  @Test
  void refusesAreaStepsAndLongPrompts() {
    refused("recipe.size", () -> recipe("a", 4_096, 4_096, 4, 7, 0, 0));
    refused("recipe.steps", () -> recipe("a", 64, 64, 0, 7, 0, 0));
    refused("recipe.steps", () -> recipe("a", 64, 64, 1_001, 7, 0, 0));
    refused("recipe.prompt", () -> recipe("a".repeat(100_000), 64, 64, 4, 7, 0, 0));
  }

  @Test
  void refusesPicturesThatDoNotFit() {
    Picture small = new Picture(8, 8, 3, new float[192]);
    refused("recipe.strength", () -> new Recipe.Init(small, 0));
    refused("recipe.strength", () -> new Recipe.Init(small, Double.NaN));
    refused("recipe.image", () -> new Picture(8, 8, 3, new float[191]));
    refused("recipe.image", () -> new Picture(1, 1, 1, new float[] {Float.NaN}));
    Recipe plain = recipe("a", 64, 64, 4, 7, 0, 0);
    refused(
        "recipe.image",
        () -> with(plain, Optional.of(new Recipe.Init(small, 1)), Optional.empty()));
    refused("recipe.mask", () -> with(plain, Optional.empty(), Optional.of(small)));
  }

  @Test
  void refusesStrengthThatLeavesNoStep() {
    Picture picture = new Picture(64, 64, 3, new float[64 * 64 * 3]);
    Recipe plain = recipe("a", 64, 64, 4, 7, 0, 0);
    refused(
        "recipe.strength",
        () -> with(plain, Optional.of(new Recipe.Init(picture, 0.2)), Optional.empty()));
  }

  private static Recipe with(Recipe r, Optional<Recipe.Init> init, Optional<Picture> mask) {
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
        init,
        mask);
  }
}
