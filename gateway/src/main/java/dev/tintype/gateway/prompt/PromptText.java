package dev.tintype.gateway.prompt;

import dev.tintype.gateway.problem.GatewayException.PromptException;
import java.util.Locale;

/** The rules for the characters of a prompt, and their limits. */
public final class PromptText {
  /**
   * Unicode code points, after the parameters are taken out. CLIP reads 77 tokens; this leaves room
   * for chunked prompts.
   */
  public static final int PROMPT_CHARACTERS_MAX = 4_000;

  /** How much of a wrong value an error message repeats. */
  private static final int QUOTE_CHARACTERS_MAX = 40;

  private PromptText() {}

  /**
   * Refuses what no prompt needs and what later stages (JSON, PostgreSQL, tokenizers) choke on:
   * control characters other than tab and line breaks, and halves of surrogate pairs.
   *
   * @param parameter "prompt" or "negative_prompt", for the error
   * @throws PromptException code prompt.characters
   */
  public static void requireCleanCharacters(String parameter, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw characters(parameter, "half of a surrogate pair", c, i);
      } else if (Character.isISOControl(c) && c != '\n' && c != '\r' && c != '\t') {
        throw characters(parameter, "a control character", c, i);
      }
    }
  }

  /**
   * @throws PromptException code prompt.too_long
   */
  public static void requireLength(String parameter, String text) {
    int length = text.codePointCount(0, text.length());
    if (length > PROMPT_CHARACTERS_MAX) {
      throw new PromptException(
          "prompt.too_long",
          parameter,
          String.format(
              Locale.ROOT,
              "The %s has %,d characters; at most %,d are allowed. Shorten it.",
              parameter.replace('_', ' '),
              length,
              PROMPT_CHARACTERS_MAX));
    }
  }

  /** Space of any kind, line separators included; what separates the words of a prompt. */
  static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c);
  }

  /**
   * A value inside quotes, cut to a readable length on a character boundary, without control
   * characters.
   */
  public static String quote(String value) {
    StringBuilder out = new StringBuilder("\"");
    value
        .codePoints()
        .limit(QUOTE_CHARACTERS_MAX)
        .map(c -> Character.isISOControl(c) || (c >= 0xD800 && c <= 0xDFFF) ? '?' : c)
        .forEach(out::appendCodePoint);
    if (value.codePointCount(0, value.length()) > QUOTE_CHARACTERS_MAX) {
      out.append('…');
    }
    return out.append('"').toString();
  }

  private static PromptException characters(String parameter, String what, char c, int index) {
    return new PromptException(
        "prompt.characters",
        parameter,
        String.format(
            Locale.ROOT,
            "The %s contains %s (U+%04X at index %d). Remove it.",
            parameter.replace('_', ' '),
            what,
            (int) c,
            index));
  }
}
