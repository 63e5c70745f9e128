package dev.tintype.gateway.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tintype.gateway.problem.GatewayException.PromptException;
import dev.tintype.queue.job.JobMode;
import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptParserTest {
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          a red sun                                   | a red sun                     |      |            |           |       |      |      |
          a red sun --seed 7                          | a red sun                     |      | 7          |           |       |      |      |
          --seed 7 a red sun                          | a red sun                     |      | 7          |           |       |      |      |
          a --seed 0 sun --steps 1                    | a sun                         |      | 0          |           | 1     |      |      |
          a --seed 4294967295                         | a                             |      | 4294967295 |           |       |      |      |
          a --seed=9 --ar=2:3                         | a                             | 2:3  | 9          |           |       |      |      |
          a --AR 16:9 --Steps 150                     | a                             | 16:9 |            |           | 150   |      |      |
          a —ar 16:9 –seed 3                          | a                             | 16:9 | 3          |           |       |      |      |
          a --aspect 1:4                              | a                             | 1:4  |            |           |       |      |      |
          the sea — calm —blue                        | the sea — calm —blue          |      |            |           |       |      |      |
          blue--green well--ar 1:1                    | blue--green well--ar 1:1      |      |            |           |       |      |      |
          a -- b --- c --5 -x                         | a -- b --- c --5 -x           |      |            |           |       |      |      |
          tree--seed 7                                | tree--seed 7                  |      |            |           |       |      |      |
          a --no cars, people --seed 2                | a                             |      | 2          | cars, people |    |      |      |
          a --no cars, --seed 2                       | a                             |      | 2          | cars      |       |      |      |
          a --no "cars --ar 1:1" b                    | a b                           |      |            | cars --ar 1:1 |   |      |      |
          a --no “fog” b                              | a b                           |      |            | fog       |       |      |      |
          a sign "use --ar 9:9 --foo" --cfg 0         | a sign "use --ar 9:9 --foo"   |      |            |           |       | 0.0  |      |
          a sign “use --bar” --cfg 7.5                | a sign “use --bar”            |      |            |           |       | 7.5  |      |
          a 12" record and a 7" one --cfg 30          | a 12" record and a 7" one     |      |            |           |       | 30.0 |      |
          a "never closed --steps 3                   | a "never closed               |      |            |           | 3     |      |      |
          a --cfg .5                                  | a                             |      |            |           |       | 0.5  |      |
          a --images 4                                | a                             |      |            |           |       |      | 4    |
          a -n 2                                      | a                             |      |            |           |       |      | 2    |
          a --n=3                                     | a                             |      |            |           |       |      | 3    |
          a --model tintype-mini                      | a                             |      |            |           |       |      |      | tintype-mini
          a --model "my model"                        | a                             |      |            |           |       |      |      | my model
          a --seed 7, b --steps 4; c                  | a b c                         |      | 7          |           | 4     |      |      |
          夜の山 🏔️ été --seed 1                        | 夜の山 🏔️ été                  |      | 1          |           |       |      |      |
          it's "quoted"                               | it's "quoted"                 |      |            |           |       |      |      |
          """)
  void reads(
      String prompt,
      String text,
      String ratio,
      Long seed,
      String negative,
      Integer steps,
      Double guidance,
      Integer images,
      String model) {
    ParsedPrompt parsed = PromptParser.parse(prompt);

    assertThat(parsed.text()).isEqualTo(text);
    assertThat(parsed.aspectRatio().map(AspectRatio::toString).orElse(null)).isEqualTo(ratio);
    assertThat(parsed.seed().isPresent() ? parsed.seed().getAsLong() : null).isEqualTo(seed);
    assertThat(parsed.negative().orElse(null)).isEqualTo(negative);
    assertThat(parsed.steps().isPresent() ? parsed.steps().getAsInt() : null).isEqualTo(steps);
    assertThat(parsed.guidance().isPresent() ? parsed.guidance().getAsDouble() : null)
        .isEqualTo(guidance);
    assertThat(parsed.images().isPresent() ? parsed.images().getAsInt() : null).isEqualTo(images);
    assertThat(parsed.model().orElse(null)).isEqualTo(model);
  }

  @Test
  void anySpaceSeparatesAndRunsOfItCollapse() {
    assertThat(PromptParser.parse("\t a \u3000 red\r\n\n sun\u2028--seed\n7 ").text())
        .isEqualTo("a red sun");
    assertThat(PromptParser.parse("a --seed\u00a07").seed()).hasValue(7);
    assertThat(PromptParser.parse("say \"two  spaces\"").text()).isEqualTo("say \"two  spaces\"");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          a --ar 0:1              | prompt.aspect_ratio       | --ar
          a --ar 16:              | prompt.aspect_ratio       | --ar
          a --ar :9               | prompt.aspect_ratio       | --ar
          a --ar 16               | prompt.aspect_ratio       | --ar
          a --ar 1:5              | prompt.aspect_ratio       | --ar
          a --ar 5:1              | prompt.aspect_ratio       | --ar
          a --ar 99999:99999      | prompt.aspect_ratio       | --ar
          a --ar 999999999999:1   | prompt.aspect_ratio       | --ar
          a --ar -1:-1            | prompt.aspect_ratio       | --ar
          a --ar 1.5:1            | prompt.aspect_ratio       | --ar
          a --ar ١:١              | prompt.aspect_ratio       | --ar
          a --ar                  | prompt.parameter.value    | --ar
          a --ar --seed 7         | prompt.parameter.value    | --ar
          a --ar= 1:1             | prompt.parameter.value    | --ar
          a --seed -1             | prompt.parameter.value    | --seed
          a --seed 4294967296     | prompt.parameter.value    | --seed
          a --seed 99999999999999 | prompt.parameter.value    | --seed
          a --seed 1.5            | prompt.parameter.value    | --seed
          a --seed seven          | prompt.parameter.value    | --seed
          a --steps 0             | prompt.parameter.value    | --steps
          a --steps 151           | prompt.parameter.value    | --steps
          a --steps NaN           | prompt.parameter.value    | --steps
          a --steps 1e1           | prompt.parameter.value    | --steps
          a --cfg NaN             | prompt.parameter.value    | --cfg
          a --cfg Infinity        | prompt.parameter.value    | --cfg
          a --cfg -1              | prompt.parameter.value    | --cfg
          a --cfg 30.000001       | prompt.parameter.value    | --cfg
          a --cfg 7,5             | prompt.parameter.value    | --cfg
          a --images 0            | prompt.parameter.value    | --images
          a -n 5                  | prompt.parameter.value    | --images
          rock -n roll            | prompt.parameter.value    | --images
          a --no                  | prompt.parameter.value    | --no
          a --no ""               | prompt.parameter.value    | --no
          a --no "x"y             | prompt.parameter.value    | prompt
          a --model               | prompt.parameter.value    | --model
          a --seed 1 --seed 1     | prompt.parameter.repeated | --seed
          a -n 1 --images 2       | prompt.parameter.repeated | --images
          a —ar 1:1 --ar 1:1      | prompt.parameter.repeated | --ar
          a --v 6                 | prompt.parameter.unknown  | prompt
          a --ar:16:9             | prompt.parameter.unknown  | prompt
          a --été                 | prompt.parameter.unknown  | prompt
          --seed 7                | prompt.empty              | prompt
          """)
  void refuses(String prompt, String code, String parameter) {
    PromptException thrown =
        catchThrowableOfType(PromptException.class, () -> PromptParser.parse(prompt));

    assertThat(thrown).as(prompt).isNotNull();
    assertThat(thrown.code()).isEqualTo(code);
    assertThat(thrown.parameter()).hasValue(parameter);
    assertThat(thrown.status()).isEqualTo(422);
  }

  @Test
  void anUnknownParameterListsTheKnownOnes() {
    PromptException thrown =
        catchThrowableOfType(PromptException.class, () -> PromptParser.parse("a --stylize 3"));
    assertThat(thrown)
        .hasMessageContaining("\"--stylize\"")
        .hasMessageContaining("--ar, --seed, --no, --steps, --cfg, --model");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\u3000\n"})
  void anEmptyPromptIsRefused(String prompt) {
    assertThat(catchThrowableOfType(PromptException.class, () -> PromptParser.parse(prompt)).code())
        .isEqualTo("prompt.empty");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a\u0000b",
        "a\u001bb",
        "a\u007fb",
        "a\u0085b",
        "a\ud800b",
        "a\udc00",
        "\udc00\ud800"
      })
  void controlCharactersAndLoneSurrogatesAreRefused(String prompt) {
    PromptException thrown =
        catchThrowableOfType(PromptException.class, () -> PromptParser.parse(prompt));
    assertThat(thrown.code()).isEqualTo("prompt.characters");
    assertThat(thrown.getMessage())
        .matches(
            "The prompt contains [a-z ]+ \\(U\\+[0-9A-F]{4} at index [0-9]+\\)\\. Remove it\\.");
  }

  @Test
  void theLimitCountsCharactersAfterParsing() {
    String parameters = " --seed 7 --no " + "x".repeat(4_000);
    String longest = "🏔".repeat(4_000);
    assertThat(PromptParser.parse(longest + parameters).text()).isEqualTo(longest);

    PromptException thrown =
        catchThrowableOfType(PromptException.class, () -> PromptParser.parse("a" + longest));
    assertThat(thrown.code()).isEqualTo("prompt.too_long");
    assertThat(thrown).hasMessageContaining("4,001").hasMessageContaining("4,000");
    assertThat(
            catchThrowableOfType(
                    PromptException.class, () -> PromptParser.parse("a" + parameters + "x"))
                .parameter())
        .hasValue("negative_prompt");
  }

  @Test
  void hostileLongInputsTakeLinearTime() {
    for (String piece :
        new String[] {"\"", " \"", "“", " “ ”", "--", " --", " —", " -n", " -", "\u3000", "a "}) {
      String prompt = piece.repeat(1_000_000 / piece.length());
      Assertions.assertTimeoutPreemptively(
          Duration.ofSeconds(10),
          () -> catchThrowableOfType(PromptException.class, () -> PromptParser.parse(prompt)),
          piece);
    }
  }

  @Test
  void fastAndRelaxStandAlone() {
    assertThat(PromptParser.parse("a --fast red sun").mode()).contains(JobMode.FAST);
    assertThat(PromptParser.parse("a --fast red sun").text()).isEqualTo("a red sun");
    assertThat(PromptParser.parse("--no fog --RELAX a sun").mode()).contains(JobMode.RELAX);
    assertThat(PromptParser.parse("a \"--relax\" sun").mode()).isEmpty();
    for (String[] wrong :
        new String[][] {
          {"a --fast --relax", "prompt.parameter.conflict"},
          {"a --fast --fast", "prompt.parameter.repeated"},
          {"a --relax=yes", "prompt.parameter.value"}
        }) {
      assertThat(
              catchThrowableOfType(PromptException.class, () -> PromptParser.parse(wrong[0]))
                  .code())
          .isEqualTo(wrong[1]);
    }
  }
}
