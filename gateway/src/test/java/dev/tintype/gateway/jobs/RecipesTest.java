package dev.tintype.gateway.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.ModelCatalog;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.problem.GatewayException;
import dev.tintype.gateway.testing.Models;
import dev.tintype.queue.job.JobSpec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecipesTest {
  private final Recipes recipes = new Recipes(Models.CATALOG, new SplittableRandom(1));

  private static ObjectNode json(String text) {
    return Json.readObject(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private JobSpec recipe(String body) {
    return recipes.wish(SubmitBody.of(json(body))).spec();
  }

  @Test
  void aPromptAloneGetsTheModelsDefaults() {
    JobSpec spec = recipe("{'prompt': 'a red sun', 'seed': 7}");
    assertThat(spec)
        .isEqualTo(
            JobSpec.builder("tintype-mini", "a red sun")
                .size(256, 256)
                .steps(20)
                .guidanceScale(5)
                .scheduler("ddim")
                .seed(7)
                .build());
  }

  @Test
  void fieldsOfTheBodyWinOverDefaults() {
    JobSpec spec =
        recipe(
            """
            {'prompt': 'a', 'negative_prompt': ' fog ', 'model': 'large/one', 'width': 1024, 'height': 512, 'steps': 150,
             'guidance_scale': 0, 'guidance_rescale': 1, 'scheduler': 'dpmpp-2m', 'seed': 4294967295, 'images': 4, 'clip_skip': 2}
            """);
    assertThat(spec)
        .isEqualTo(
            JobSpec.builder("large/one", "a")
                .negativePrompt("fog")
                .size(1024, 512)
                .steps(150)
                .guidanceScale(0)
                .guidanceRescale(1)
                .scheduler("dpmpp-2m")
                .seed(4294967295L)
                .images(4)
                .clipSkip(2)
                .build());
  }

  @Test
  void parametersOfThePromptWinOverTheBody() {
    JobSpec spec =
        recipe(
            """
            {'prompt': 'a --ar 2:1 --seed 3 --no cars --steps 5 --cfg 2.5 --model large/one -n 2', 'negative_prompt': 'fog',
             'model': 'tintype-mini', 'width': 256, 'height': 256, 'steps': 9, 'guidance_scale': 9, 'seed': 9, 'images': 1}
            """);
    assertThat(spec)
        .isEqualTo(
            JobSpec.builder("large/one", "a")
                .negativePrompt("cars")
                .size(1408, 704)
                .steps(5)
                .guidanceScale(2.5)
                .guidanceRescale(0.7)
                .scheduler("euler")
                .seed(3)
                .images(2)
                .build());
  }

  @Test
  void aMissingSeedIsDrawnFrom32Bits() {
    List<Long> seeds =
        IntStream.range(0, 100).mapToObj(i -> recipe("{'prompt': 'a'}").seed()).toList();
    assertThat(seeds)
        .allMatch(seed -> seed >= 0 && seed <= SubmitBody.SEED_MAX)
        .doesNotHaveDuplicates();
    assertThat(seeds).anyMatch(seed -> seed > Integer.MAX_VALUE);
  }

  @ParameterizedTest
  @CsvSource({
    "1:1,256,256",
    "16:9,352,192",
    "9:16,192,352",
    "4:1,512,128",
    "1:4,128,512",
    "3:2,288,192"
  })
  void anAspectRatioKeepsTheArea(String ratio, int width, int height) {
    JobSpec spec = recipe("{'prompt': 'a', 'aspect_ratio': '" + ratio + "'}");
    assertThat(spec.width() + "x" + spec.height()).isEqualTo(width + "x" + height);
  }

  @Test
  void nullIsAsGoodAsMissingAndWholeDoublesAreWhole() {
    assertThat(recipe("{'prompt': 'a', 'steps': 20.0, 'seed': null, 'model': null}").steps())
        .isEqualTo(20);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {}                                              | field.missing       | prompt
          {'prompt': null}                                | field.missing       | prompt
          {'prompt': 7}                                   | field.type          | prompt
          {'prompt': ['a']}                               | field.type          | prompt
          {'prompt': ''}                                  | prompt.empty        | prompt
          {'prompt': 'a', 'size': 7}                      | field.unknown       | size
          {'prompt': 'a', 'Prompt': 'b'}                  | field.unknown       | Prompt
          {'prompt': 'a', 'n\\u00fcll': 7}                | field.unknown       | n?ll
          {'prompt': 'a', 'negative_prompt': 7}           | field.type          | negative_prompt
          {'prompt': 'a', 'negative_prompt': 'a\\u0000'}  | prompt.characters   | negative_prompt
          {'prompt': 'a\\ud800'}                          | prompt.characters   | prompt
          {'prompt': 'a\\u0007'}                          | prompt.characters   | prompt
          {'prompt': 'a', 'model': 'none'}                | model.unknown       | model
          {'prompt': 'a --model none'}                    | model.unknown       | model
          {'prompt': 'a', 'model': {}}                    | field.type          | model
          {'prompt': 'a', 'width': 256}                   | field.conflict      | height
          {'prompt': 'a', 'height': 256}                  | field.conflict      | width
          {'prompt': 'a', 'width': 256, 'height': 256, 'aspect_ratio': '1:1'} | field.conflict | aspect_ratio
          {'prompt': 'a', 'width': 0, 'height': 256}      | field.range         | width
          {'prompt': 'a', 'width': 250, 'height': 256}    | model.size          | width
          {'prompt': 'a', 'width': 96, 'height': 256}     | model.size          | width
          {'prompt': 'a', 'width': 1024, 'height': 1024}  | model.size          | width
          {'prompt': 'a', 'model': 'large/one', 'width': 2048, 'height': 2048} | model.size | width
          {'prompt': 'a', 'width': '256', 'height': 256}  | field.type          | width
          {'prompt': 'a', 'aspect_ratio': '0:1'}          | prompt.aspect_ratio | aspect_ratio
          {'prompt': 'a', 'aspect_ratio': 1.5}            | field.type          | aspect_ratio
          {'prompt': 'a', 'steps': 0}                     | field.range         | steps
          {'prompt': 'a', 'steps': 151}                   | field.range         | steps
          {'prompt': 'a', 'steps': 1.5}                   | field.type          | steps
          {'prompt': 'a', 'steps': 'NaN'}                 | field.type          | steps
          {'prompt': 'a', 'steps': true}                  | field.type          | steps
          {'prompt': 'a', 'guidance_scale': -0.1}         | field.range         | guidance_scale
          {'prompt': 'a', 'guidance_scale': 1e999}        | field.range         | guidance_scale
          {'prompt': 'a', 'guidance_scale': '7'}          | field.type          | guidance_scale
          {'prompt': 'a', 'guidance_rescale': 1.01}       | field.range         | guidance_rescale
          {'prompt': 'a', 'scheduler': 'heun'}            | model.scheduler     | scheduler
          {'prompt': 'a', 'seed': -1}                     | field.range         | seed
          {'prompt': 'a', 'seed': 4294967296}             | field.range         | seed
          {'prompt': 'a', 'seed': 1e400}                  | field.range         | seed
          {'prompt': 'a', 'images': 5}                    | field.range         | images
          {'prompt': 'a', 'clip_skip': 1}                 | model.clip_skip     | clip_skip
          {'prompt': 'a', 'clip_skip': 13}                | field.range         | clip_skip
          """)
  void refuses(String body, String code, String parameter) {
    GatewayException refused = catchThrowableOfType(GatewayException.class, () -> recipe(body));
    assertThat(refused).as(body).isNotNull();
    assertThat(refused.code()).isEqualTo(code);
    assertThat(refused.parameter()).hasValue(parameter);
    assertThat(refused.status()).isEqualTo(422);
    assertThat(refused.getMessage()).isNotBlank();
  }

  @Test
  void anUnknownModelListsTheKnownOnes() {
    assertThat(
            catchThrowableOfType(
                GatewayException.class, () -> recipe("{'prompt': 'a', 'model': 'x'}")))
        .hasMessage("There is no model \"x\"; there is tintype-mini, large/one.");
  }

  @Test
  void withoutAnyModelTheAnswerIsToTryLater() {
    Recipes none = new Recipes(ModelCatalog.of(List.of()), new SplittableRandom(1));
    GatewayException refused =
        catchThrowableOfType(
            GatewayException.class, () -> none.wish(SubmitBody.of(json("{'prompt': 'a'}"))));
    assertThat(refused.code()).isEqualTo("model.none");
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.retryAfter()).isPresent();
  }

  @Test
  void theFingerprintIgnoresOrderAndSpacingAndNothingElse() {
    String one = IdempotencyKeys.fingerprint(json("{'prompt': 'a', 'seed': 1}"));
    assertThat(IdempotencyKeys.fingerprint(json("{ 'seed':1,'prompt':'a' }"))).isEqualTo(one);
    assertThat(
            List.of(
                    "{'prompt': 'a'}",
                    "{'prompt': 'a', 'seed': 2}",
                    "{'prompt': 'a', 'seed': '1'}",
                    "{'prompt': 'b', 'seed': 1}")
                .stream()
                .map(RecipesTest::json)
                .map(IdempotencyKeys::fingerprint)
                .collect(Collectors.toSet()))
        .hasSize(4)
        .doesNotContain(one);
  }
}
