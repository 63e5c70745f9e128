package dev.tintype.gateway.prompt;

import dev.tintype.gateway.problem.GatewayException.PromptException;
import java.util.Optional;

/**
 * The position in a prompt, and the pieces that can start there: space, flag, quoted string, word.
 */
final class PromptScanner {
  private static final char EM_DASH = '—';
  private static final char EN_DASH = '–';
  private static final char CURLY_OPEN = '“';
  private static final char CURLY_CLOSE = '”';

  private final String input;
  private int position;
  // Once a closing quote was looked for and not found, none comes later either; remembering it
  // keeps the scan linear.
  private boolean noStraightClose;
  private boolean noCurlyClose;

  PromptScanner(String input) {
    this.input = input;
  }

  /**
   * Something written like a parameter.
   *
   * @param parameter empty when nobody knows the name
   * @param written as it stands in the prompt, "--foo"
   * @param end index after the name
   */
  record Flag(Optional<PromptParameter> parameter, String written, int end) {}

  boolean atEnd() {
    return position >= input.length();
  }

  boolean atSpace() {
    return !atEnd() && PromptText.isSpace(input.charAt(position));
  }

  void skipSpace() {
    while (atSpace()) {
      position++;
    }
  }

  /** The flag that starts here, if one does. */
  Optional<Flag> flag() {
    return flagAt(position);
  }

  void accept(Flag flag) {
    position = flag.end();
  }

  /** The next piece of plain text: a whole quoted string, or one character. */
  String piece() {
    int start = position;
    int close = closeOfQuoteAt(position);
    position = close < 0 ? position + 1 : close + 1;
    return input.substring(start, position);
  }

  /**
   * The value of a parameter: what follows '=' or the next word, without quotes; empty when there
   * is none.
   */
  String value() {
    if (!toValue()) {
      return "";
    }
    if (closeOfQuoteAt(position) >= 0) {
      return quotedValue();
    }
    int start = position;
    while (!atEnd() && !atSpace()) {
      position++;
    }
    // "--seed 7, --steps 20": the comma belongs to the sentence.
    String word = input.substring(start, position);
    return word.endsWith(",") || word.endsWith(";") ? word.substring(0, word.length() - 1) : word;
  }

  /** The value of --no: one quoted string, or all words up to the next flag. */
  String words() {
    if (!toValue()) {
      return "";
    }
    if (closeOfQuoteAt(position) >= 0) {
      return quotedValue();
    }
    StringBuilder words = new StringBuilder();
    while (!atEnd()) {
      if (atSpace()) {
        skipSpace();
        words.append(' ');
      } else if (flag().isPresent()) {
        break;
      } else {
        words.append(piece());
      }
    }
    String all = words.toString().strip();
    return all.endsWith(",") ? all.substring(0, all.length() - 1).strip() : all;
  }

  /** Right after a flag: whether it was written as {@code --flag=value}. */
  boolean valueFollows() {
    return !atEnd() && input.charAt(position) == '=';
  }

  /** Moves to the value; false when the prompt ends or another flag comes first. */
  private boolean toValue() {
    if (!atEnd() && input.charAt(position) == '=') {
      position++;
      return !atEnd() && !atSpace();
    }
    skipSpace();
    return !atEnd() && flag().isEmpty();
  }

  private String quotedValue() {
    int start = position + 1;
    int close = closeOfQuoteAt(position);
    position = close + 1;
    if (!atEnd() && !atSpace()) {
      if (input.charAt(position) == ',' || input.charAt(position) == ';') {
        position++;
      } else {
        throw new PromptException(
            "prompt.parameter.value",
            "prompt",
            "After the quoted value "
                + PromptText.quote(input.substring(start, close))
                + " put a space.");
      }
    }
    return input.substring(start, close).strip();
  }

  private Optional<Flag> flagAt(int at) {
    if (at >= input.length() || !startsWord(at)) {
      return Optional.empty();
    }
    char c = input.charAt(at);
    int name;
    boolean onlyKnown = false;
    if (input.startsWith("--", at)) {
      name = at + 2;
    } else if (c == EM_DASH || c == EN_DASH) {
      name = at + 1;
      onlyKnown = true;
    } else if (c == '-' && shortImages(at)) {
      name = at + 1;
    } else {
      return Optional.empty();
    }
    if (name >= input.length() || !Character.isLetter(input.codePointAt(name))) {
      return Optional.empty();
    }
    int end = name;
    while (end < input.length()
        && input.charAt(end) != '='
        && !PromptText.isSpace(input.charAt(end))) {
      end++;
    }
    Optional<PromptParameter> parameter = PromptParameter.named(input.substring(name, end));
    if (onlyKnown && parameter.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new Flag(parameter, input.substring(at, end), end));
  }

  private boolean shortImages(int at) {
    int end = at + 1 + PromptParameter.SHORT_IMAGES.length();
    return input.startsWith(PromptParameter.SHORT_IMAGES, at + 1)
        && (end == input.length()
            || input.charAt(end) == '='
            || PromptText.isSpace(input.charAt(end)));
  }

  private boolean startsWord(int at) {
    return at == 0 || PromptText.isSpace(input.charAt(at - 1));
  }

  /**
   * Index of the quote that closes the one at {@code at}; -1 when there is no quote there or it
   * never closes.
   */
  private int closeOfQuoteAt(int at) {
    char c = input.charAt(at);
    if (c == '"' && !noStraightClose && opens(at)) {
      int close = input.indexOf('"', at + 1);
      noStraightClose = close < 0;
      return close;
    }
    if (c == CURLY_OPEN && !noCurlyClose) {
      int close = input.indexOf(CURLY_CLOSE, at + 1);
      noCurlyClose = close < 0;
      return close;
    }
    return -1;
  }

  /**
   * A straight quote after a letter or digit is an inch mark or a closing quote, not an opening
   * one.
   */
  private boolean opens(int at) {
    return at == 0 || !Character.isLetterOrDigit(input.charAt(at - 1));
  }
}
