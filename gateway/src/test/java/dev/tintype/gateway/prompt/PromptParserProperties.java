package dev.tintype.gateway.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.problem.GatewayException.PromptException;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** What holds for every input, typed by a person or made by a fuzzer. */
class PromptParserProperties {
  private static final List<String> CODES =
      List.of(
          "prompt.characters",
          "prompt.parameter.unknown",
          "prompt.parameter.repeated",
          "prompt.parameter.value",
          "prompt.aspect_ratio",
          "prompt.empty",
          "prompt.too_long");

  @Property(tries = 2_000)
  void anythingIsParsedOrRefusedWithAKnownCode(@ForAll("prompts") String prompt) {
    try {
      ParsedPrompt parsed = PromptParser.parse(prompt);
      assertThat(parsed.text())
          .isNotBlank()
          .hasSizeLessThanOrEqualTo(2 * PromptText.PROMPT_CHARACTERS_MAX);
    } catch (PromptException refused) {
      assertThat(refused.code()).isIn(CODES);
      assertThat(refused.getMessage()).isNotBlank().hasSizeLessThan(400);
    }
  }

  @Property(tries = 2_000)
  void theTextThatRemainsHasNoParametersAndParsesToItself(@ForAll("prompts") String prompt) {
    ParsedPrompt parsed;
    try {
      parsed = PromptParser.parse(prompt);
    } catch (PromptException refused) {
      return;
    }
    ParsedPrompt again = PromptParser.parse(parsed.text());
    assertThat(again.text()).isEqualTo(parsed.text());
    assertThat(again)
        .extracting(
            ParsedPrompt::seed, ParsedPrompt::steps, ParsedPrompt::guidance, ParsedPrompt::images)
        .containsExactly(
            OptionalLong.empty(), OptionalInt.empty(), OptionalDouble.empty(), OptionalInt.empty());
    assertThat(again.aspectRatio()).isEmpty();
    assertThat(again.negative()).isEmpty();
    assertThat(again.model()).isEmpty();
  }

  @Property(tries = 500)
  void validValuesComeBackWhereverTheyStand(
      @ForAll @LongRange(max = PromptParser.SEED_MAX) long seed,
      @ForAll @IntRange(min = 1, max = PromptParser.STEPS_MAX) int steps,
      @ForAll @IntRange(min = 1, max = 30) int width,
      @ForAll @IntRange(min = 30, max = 30) int height,
      @ForAll boolean first) {
    String parameters =
        "--seed %d --steps %d --ar %d:%d".formatted(seed, steps, Math.max(8, width), height);
    ParsedPrompt parsed =
        PromptParser.parse(first ? parameters + " a red sun" : "a red " + parameters + " sun");
    assertThat(parsed.text()).isEqualTo("a red sun");
    assertThat(parsed.seed()).hasValue(seed);
    assertThat(parsed.steps()).hasValue(steps);
    assertThat(parsed.aspectRatio()).hasValue(new AspectRatio(Math.max(8, width), height));
  }

  @Property(tries = 500)
  void aFittedSizeIsAllowedAndNearTheRatio(
      @ForAll @IntRange(min = 1, max = 4) int width,
      @ForAll @IntRange(min = 1, max = 4) int height,
      @ForAll @IntRange(min = 1, max = 8) int granules) {
    int granularity = 8 * granules;
    AspectRatio ratio = new AspectRatio(width, height);
    Size size = ratio.fit(new Size(512, 512), 128, 1024, granularity).orElseThrow();
    assertThat(size.width() % granularity).isZero();
    assertThat(size.height() % granularity).isZero();
    assertThat(size.width()).isBetween(128, 1024);
    assertThat(size.height()).isBetween(128, 1024);
    assertThat((double) size.width() / size.height() / ((double) width / height))
        .isBetween(0.86, 1.15);
    assertThat((double) size.width() * size.height() / (512 * 512)).isBetween(0.7, 1.4);
  }

  @Provide
  Arbitrary<String> prompts() {
    Arbitrary<String> shaped =
        Arbitraries.of(
            "a",
            "red",
            "sun",
            "5\"",
            "\"",
            "“",
            "”",
            "\"x y\"",
            "--",
            "---",
            "—",
            "–",
            "-",
            "-n",
            "--ar",
            "—ar",
            "--seed",
            "--no",
            "--steps",
            "--cfg",
            "--model",
            "--images",
            "--foo",
            "=",
            "16:9",
            "0:1",
            "7",
            "NaN",
            "4294967295",
            ",",
            "\n",
            "\t",
            "\u3000",
            "🏔",
            "é",
            "\ud800",
            "\u0000",
            "a--b");
    Arbitrary<String> pieces =
        Arbitraries.frequencyOf(
            List.of(weight(20, shaped), weight(1, Arbitraries.strings().ofMaxLength(12))));
    Arbitrary<String> glue = Arbitraries.of(" ", " ", " ", "");
    Arbitrary<String> one =
        net.jqwik.api.Combinators.combine(pieces, glue).as((piece, space) -> piece + space);
    return one.list().ofMaxSize(9).map(parts -> String.join("", parts));
  }

  private static net.jqwik.api.Tuple.Tuple2<Integer, Arbitrary<String>> weight(
      int weight, Arbitrary<String> arbitrary) {
    return net.jqwik.api.Tuple.of(weight, arbitrary);
  }
}
