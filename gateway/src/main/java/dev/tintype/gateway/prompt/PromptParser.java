package dev.tintype.gateway.prompt;

import dev.tintype.gateway.problem.GatewayException.PromptException;
import dev.tintype.queue.job.JobMode;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Splits a prompt into its text and its parameters. The grammar:
 *
 * <ul>
 *   <li>A parameter starts at the start of a word with {@code --} and a letter; {@code word--word},
 *       {@code --} alone and {@code ---} are text. Its value is the next word, or what follows
 *       {@code =}. It may stand anywhere in the prompt.
 *   <li>An em or en dash counts as {@code --} when a known name follows at once ({@code —ar 16:9},
 *       as editors "correct" it); otherwise it is punctuation and stays.
 *   <li>{@code --fast} and {@code --relax} have no value, and exclude one another.
 *   <li>{@code --no} takes every word up to the next parameter, or exactly one quoted string.
 *   <li>Inside double quotes (straight ones that open at the start of a word, or curly ones)
 *       nothing is a parameter. A quote that never closes is a plain character: {@code a 12"
 *       record}.
 *   <li>An unknown {@code --name}, a repeat, and a missing or impossible value are errors.
 * </ul>
 *
 * Runs of space outside quotes become one space. Time and memory are linear in the input.
 */
public final class PromptParser {
  static final long SEED_MAX = 0xFFFF_FFFFL;
  static final int STEPS_MAX = 150;
  static final double GUIDANCE_MAX = 30;
  static final int IMAGES_MAX = 4;
  private static final int MODEL_CHARACTERS_MAX = 100;

  private final PromptScanner scanner;
  private final StringBuilder text = new StringBuilder();
  private final Map<PromptParameter, String> values = new EnumMap<>(PromptParameter.class);

  private PromptParser(String prompt) {
    scanner = new PromptScanner(prompt);
  }

  /**
   * @throws PromptException with code prompt.characters, prompt.parameter.unknown,
   *     prompt.parameter.repeated, prompt.parameter.value, prompt.parameter.conflict,
   *     prompt.aspect_ratio, prompt.empty or prompt.too_long; nothing else is ever thrown
   */
  public static ParsedPrompt parse(String prompt) {
    PromptText.requireCleanCharacters("prompt", prompt);
    PromptParser parser = new PromptParser(prompt);
    parser.read();
    return parser.result();
  }

  private void read() {
    while (!scanner.atEnd()) {
      if (scanner.atSpace()) {
        scanner.skipSpace();
        appendSpace();
        continue;
      }
      Optional<PromptScanner.Flag> flag = scanner.flag();
      if (flag.isPresent()) {
        readParameter(flag.get());
      } else {
        text.append(scanner.piece());
      }
    }
  }

  private void appendSpace() {
    if (!text.isEmpty() && text.charAt(text.length() - 1) != ' ') {
      text.append(' ');
    }
  }

  private void readParameter(PromptScanner.Flag flag) {
    PromptParameter parameter =
        flag.parameter()
            .orElseThrow(
                () ->
                    new PromptException(
                        "prompt.parameter.unknown",
                        "prompt",
                        "The prompt has an unknown parameter "
                            + PromptText.quote(flag.written())
                            + "; known ones are "
                            + PromptParameter.known()
                            + ". To keep it as text, put it in double quotes."));
    if (values.containsKey(parameter)) {
      throw new PromptException(
          "prompt.parameter.repeated",
          parameter.flag(),
          "The prompt has " + parameter.flag() + " twice. Keep one of them.");
    }
    scanner.accept(flag);
    if (!parameter.hasValue()) {
      if (scanner.valueFollows()) {
        throw invalid(parameter, "has no value");
      }
      values.put(parameter, "");
      return;
    }
    String value = parameter == PromptParameter.NEGATIVE ? scanner.words() : scanner.value();
    if (value.isBlank()) {
      throw invalid(
          parameter, "needs a value, such as " + parameter.flag() + " " + parameter.example());
    }
    values.put(parameter, value);
  }

  private ParsedPrompt result() {
    String prompt = text.toString().strip();
    Optional<AspectRatio> aspectRatio =
        Optional.ofNullable(values.get(PromptParameter.ASPECT_RATIO))
            .map(value -> AspectRatio.parse(PromptParameter.ASPECT_RATIO.flag(), value));
    Optional<String> negative = Optional.ofNullable(values.get(PromptParameter.NEGATIVE));
    negative.ifPresent(words -> PromptText.requireLength("negative_prompt", words));
    ParsedPrompt parsed =
        new ParsedPrompt(
            prompt,
            aspectRatio,
            seed(),
            negative,
            integer(PromptParameter.STEPS, STEPS_MAX),
            guidance(),
            model(),
            integer(PromptParameter.IMAGES, IMAGES_MAX),
            mode());
    if (prompt.isEmpty()) {
      throw new PromptException(
          "prompt.empty", "prompt", "The prompt is empty. Say what the picture shall show.");
    }
    PromptText.requireLength("prompt", prompt);
    return parsed;
  }

  private OptionalLong seed() {
    String value = values.get(PromptParameter.SEED);
    if (value == null) {
      return OptionalLong.empty();
    }
    if (value.matches("[0-9]{1,10}") && Long.parseLong(value) <= SEED_MAX) {
      return OptionalLong.of(Long.parseLong(value));
    }
    throw invalid(
        PromptParameter.SEED,
        "is a whole number from 0 to "
            + SEED_MAX
            + "; found "
            + PromptText.quote(value)
            + ". Leave it out for a random seed");
  }

  private OptionalInt integer(PromptParameter parameter, int max) {
    String value = values.get(parameter);
    if (value == null) {
      return OptionalInt.empty();
    }
    if (value.matches("[0-9]{1,4}")) {
      int number = Integer.parseInt(value);
      if (number >= 1 && number <= max) {
        return OptionalInt.of(number);
      }
    }
    throw invalid(
        parameter, "is a whole number from 1 to " + max + "; found " + PromptText.quote(value));
  }

  private OptionalDouble guidance() {
    String value = values.get(PromptParameter.GUIDANCE);
    if (value == null) {
      return OptionalDouble.empty();
    }
    if (value.matches("[0-9]{1,4}(\\.[0-9]{1,6})?|\\.[0-9]{1,6}")) {
      double number = Double.parseDouble(value);
      if (number <= GUIDANCE_MAX) {
        return OptionalDouble.of(number);
      }
    }
    throw invalid(
        PromptParameter.GUIDANCE,
        "is a number from 0 to " + (int) GUIDANCE_MAX + "; found " + PromptText.quote(value));
  }

  private Optional<String> model() {
    String value = values.get(PromptParameter.MODEL);
    if (value != null && value.length() > MODEL_CHARACTERS_MAX) {
      throw invalid(
          PromptParameter.MODEL, "is the name of a model; found " + PromptText.quote(value));
    }
    return Optional.ofNullable(value);
  }

  private Optional<JobMode> mode() {
    boolean fast = values.containsKey(PromptParameter.FAST);
    boolean relax = values.containsKey(PromptParameter.RELAX);
    if (fast && relax) {
      throw new PromptException(
          "prompt.parameter.conflict",
          PromptParameter.RELAX.flag(),
          "The prompt has both --fast and --relax. Keep one of them.");
    }
    if (fast) {
      return Optional.of(JobMode.FAST);
    }
    return relax ? Optional.of(JobMode.RELAX) : Optional.empty();
  }

  private static PromptException invalid(PromptParameter parameter, String problem) {
    return new PromptException(
        "prompt.parameter.value", parameter.flag(), parameter.flag() + " " + problem + ".");
  }
}
