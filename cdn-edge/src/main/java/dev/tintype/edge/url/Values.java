package dev.tintype.edge.url;

import dev.tintype.edge.error.EdgeException;
import java.math.BigDecimal;
import java.util.HexFormat;
import java.util.Locale;

/** Reads and writes the values of operations. What it refuses it names, with the range. */
final class Values {
  private static final int NUMBER_DIGITS_MAX = 11;
  private static final int SHOWN_CHARS_MAX = 24;

  private Values() {}

  static long number(String name, String value, long min, long max) {
    if (!value.isEmpty()
        && value.length() <= NUMBER_DIGITS_MAX
        && value.chars().allMatch(Values::digit)) {
      long number = Long.parseLong(value);
      if (number >= min && number <= max) {
        return number;
      }
    }
    throw EdgeException.badOperation(name + " is a whole number from " + min + " to " + max + ".");
  }

  private static boolean digit(int c) {
    return c >= '0' && c <= '9';
  }

  /**
   * A number with a point, as a whole number of its last decimals.
   *
   * @param decimals how many decimals there may be
   * @param min of the whole number that is returned
   * @param max of the whole number that is returned
   */
  static int decimal(String name, String value, int decimals, int min, int max) {
    boolean shaped =
        value.length() <= 3 + decimals
            && value.chars().allMatch(c -> c == '.' || digit(c))
            && value.matches("\\d{1,2}(\\.\\d{1," + decimals + "})?");
    int number = shaped ? new BigDecimal(value).movePointRight(decimals).intValueExact() : 0;
    if (number < min || number > max) {
      throw EdgeException.badOperation(
          "%s is a number from %s to %s with at most %d decimals."
              .formatted(name, decimal(min, decimals), decimal(max, decimals), decimals));
    }
    return number;
  }

  static String decimal(int number, int decimals) {
    return BigDecimal.valueOf(number, decimals).stripTrailingZeros().toPlainString();
  }

  /** 0xRRGGBB of six hexadecimal digits. */
  static int colour(String name, String value) {
    if (value.length() == 6 && value.chars().allMatch(HexFormat::isHexDigit)) {
      return HexFormat.fromHexDigits(value);
    }
    throw EdgeException.badOperation(name + " is six hexadecimal digits, such as ffffff.");
  }

  static String colour(int rgb) {
    return HexFormat.of().toHexDigits(rgb, 6);
  }

  static Fit fit(String value) {
    for (Fit each : Fit.values()) {
      if (each.word().equals(value)) {
        return each;
      }
    }
    throw EdgeException.badOperation("fit is cover, contain or inside.");
  }

  static Gravity gravity(String value) {
    String word = value.equals("center") ? Gravity.CENTRE.word() : value;
    for (Gravity each : Gravity.values()) {
      if (each.word().equals(word)) {
        return each;
      }
    }
    throw EdgeException.badOperation(
        "g is centre, smart, north, northeast, east, southeast, south, southwest, west or"
            + " northwest.");
  }

  /** What a client wrote, safe to be shown. */
  static String printable(String text) {
    String shortened =
        text.length() > SHOWN_CHARS_MAX ? text.substring(0, SHOWN_CHARS_MAX) + "..." : text;
    return shortened.replaceAll("[^a-zA-Z0-9:._-]", "?").toLowerCase(Locale.ROOT);
  }
}
