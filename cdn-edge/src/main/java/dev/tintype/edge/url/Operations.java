package dev.tintype.edge.url;

import dev.tintype.edge.error.EdgeException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.ToIntFunction;

/**
 * The operations of a URL: {@code w:640,q:60}. Operations are separated by commas; each stands at
 * most once; the canonical order is that of their text. {@code orig} means the original's own bytes
 * and goes with {@code exp} alone.
 *
 * @param original whether the original itself is meant
 * @param preset a size with a name
 * @param width {@code w}: box width in CSS pixels
 * @param height {@code h}: box height in CSS pixels
 * @param fit {@code fit}: cover, contain or inside
 * @param dprHundredths {@code dpr}: device pixel ratio in hundredths, 100 to 400
 * @param quality {@code q}: 1 to 100
 * @param expiresS {@code exp}: last second (Unix time) in which the URL is good
 */
public record Operations(
    boolean original,
    Optional<Preset> preset,
    OptionalInt width,
    OptionalInt height,
    Optional<Fit> fit,
    int dprHundredths,
    OptionalInt quality,
    OptionalLong expiresS) {

  /** Longest text of operations that is read at all. */
  public static final int TEXT_CHARS_MAX = 200;

  /** Largest {@code w} and {@code h} in the grammar; the configuration may allow less. */
  public static final int SIDE_PX_MAX = 16_383;

  private static final int DPR_ONE = 100;
  private static final int DPR_MAX = 400;
  private static final int QUALITY_MAX = 100;
  private static final int NUMBER_DIGITS_MAX = 11;

  private static final Operations NONE =
      new Operations(
          false,
          Optional.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          DPR_ONE,
          OptionalInt.empty(),
          OptionalLong.empty());

  /** No operation: the whole picture in its own size. */
  public static Operations none() {
    return NONE;
  }

  /** The original's own bytes. */
  public static Operations orig() {
    return new Operations(
        true, NONE.preset, NONE.width, NONE.height, NONE.fit, DPR_ONE, NONE.quality, NONE.expiresS);
  }

  /** A size with a name. */
  public static Operations of(Preset preset) {
    return NONE.with(preset);
  }

  /**
   * Reads the operations of a URL; the text need not be canonical.
   *
   * @throws EdgeException with code edge.ops.invalid
   */
  public static Operations parse(String text) {
    if (text.isEmpty() || text.length() > TEXT_CHARS_MAX) {
      throw EdgeException.badOperation("Operations take 1 to " + TEXT_CHARS_MAX + " characters.");
    }
    Operations operations = NONE;
    Set<String> seen = new HashSet<>();
    for (String token : text.split(",", -1)) {
      int colon = token.indexOf(':');
      String name = colon < 0 ? token : token.substring(0, colon);
      String value = colon < 0 ? "" : token.substring(colon + 1);
      boolean isPreset = colon < 0 && !name.equals("orig");
      if (!seen.add(isPreset ? "preset" : name)) {
        throw EdgeException.badOperation(
            "'" + printable(token) + "' stands twice, or beside another preset.");
      }
      operations = colon < 0 ? operations.withWord(name) : operations.withPair(name, value);
    }
    if (operations.original && !operations.withExpiry(OptionalLong.empty()).equals(orig())) {
      throw EdgeException.badOperation(
          "orig goes with exp alone; leave the other operations out, or orig.");
    }
    return operations;
  }

  private Operations withWord(String word) {
    if (word.equals("orig")) {
      return new Operations(true, preset, width, height, fit, dprHundredths, quality, expiresS);
    }
    for (Preset each : Preset.values()) {
      if (each.word().equals(word)) {
        return with(each);
      }
    }
    throw EdgeException.badOperation(
        "'"
            + printable(word)
            + "' is no preset; there are card, full, thumb, and orig for the original.");
  }

  private Operations withPair(String name, String value) {
    return switch (name) {
      case "w" -> width((int) number(name, value, 1, SIDE_PX_MAX));
      case "h" -> height((int) number(name, value, 1, SIDE_PX_MAX));
      case "q" -> quality((int) number(name, value, 1, QUALITY_MAX));
      case "exp" -> withExpiry(OptionalLong.of(number(name, value, 0, 99_999_999_999L)));
      case "dpr" -> dpr(ratio(value));
      case "fit" -> fit(fitOf(value));
      default ->
          throw EdgeException.badOperation(
              "'"
                  + printable(name)
                  + "' is no operation; there are w, h, fit, dpr, q, exp and the presets.");
    };
  }

  private static long number(String name, String value, long min, long max) {
    if (!value.isEmpty()
        && value.length() <= NUMBER_DIGITS_MAX
        && value.chars().allMatch(c -> c >= '0' && c <= '9')) {
      long number = Long.parseLong(value);
      if (number >= min && number <= max) {
        return number;
      }
    }
    throw EdgeException.badOperation(name + " is a whole number from " + min + " to " + max + ".");
  }

  private static int ratio(String value) {
    boolean shaped =
        value.length() <= 5
            && value.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'))
            && value.matches("\\d{1,2}(\\.\\d{1,2})?");
    int hundredths = shaped ? new BigDecimal(value).movePointRight(2).intValueExact() : 0;
    if (hundredths < DPR_ONE || hundredths > DPR_MAX) {
      throw EdgeException.badOperation("dpr is a number from 1 to 4 with at most two decimals.");
    }
    return hundredths;
  }

  private static Fit fitOf(String value) {
    for (Fit each : Fit.values()) {
      if (each.word().equals(value)) {
        return each;
      }
    }
    throw EdgeException.badOperation("fit is cover, contain or inside.");
  }

  private static String printable(String text) {
    String shortened = text.length() > 24 ? text.substring(0, 24) + "..." : text;
    return shortened.replaceAll("[^a-zA-Z0-9:._-]", "?");
  }

  /**
   * The one text for these operations: sorted, without what changes nothing.
   *
   * @param format the format that the URL names; empty for {@code auto}
   */
  public String canonical(Optional<ImageFormat> format) {
    List<String> tokens = new ArrayList<>();
    if (original) {
      tokens.add("orig");
    }
    Optional<Preset> sized = preset.filter(each -> each != Preset.FULL);
    sized.ifPresent(each -> tokens.add(each.word()));
    width.ifPresent(each -> tokens.add("w:" + each));
    height.ifPresent(each -> tokens.add("h:" + each));
    if (dprHundredths != DPR_ONE && hasBox()) {
      tokens.add(
          "dpr:" + BigDecimal.valueOf(dprHundredths, 2).stripTrailingZeros().toPlainString());
    }
    // Without a preset, inside is the default, and a box with one side has no shape that could
    // differ.
    fit.filter(
            each ->
                sized.isPresent()
                    || (each != Fit.INSIDE && width.isPresent() && height.isPresent()))
        .ifPresent(each -> tokens.add("fit:" + each.word()));
    quality.ifPresent(
        each -> {
          if (format.isEmpty() || format.get().lossy()) {
            tokens.add("q:" + each);
          }
        });
    expiresS.ifPresent(each -> tokens.add("exp:" + each));
    if (tokens.isEmpty()) {
      return Preset.FULL.word();
    }
    tokens.sort(null);
    return String.join(",", tokens);
  }

  private boolean hasBox() {
    return width.isPresent()
        || height.isPresent()
        || preset.filter(each -> each != Preset.FULL).isPresent();
  }

  /**
   * Fills in presets, device pixel ratio and quality.
   *
   * @param format what the variant is encoded as
   * @param sidePxMax largest side of the box in device pixels
   * @param qualityOf default quality of a lossy format
   * @throws EdgeException with code edge.ops.invalid when the box is too large
   */
  public VariantSpec resolve(
      ImageFormat format, int sidePxMax, ToIntFunction<ImageFormat> qualityOf) {
    Preset base = preset.orElse(Preset.FULL);
    OptionalInt boxWidth = scaled(width.isPresent() ? width : base.width(), sidePxMax);
    OptionalInt boxHeight = scaled(height.isPresent() ? height : base.height(), sidePxMax);
    Fit shape = boxWidth.isPresent() && boxHeight.isPresent() ? fit.orElse(base.fit()) : Fit.INSIDE;
    int level = format.lossy() ? quality.orElseGet(() -> qualityOf.applyAsInt(format)) : 0;
    return new VariantSpec(boxWidth, boxHeight, shape, format, level);
  }

  private OptionalInt scaled(OptionalInt side, int sidePxMax) {
    if (side.isEmpty()) {
      return side;
    }
    int px =
        BigDecimal.valueOf((long) side.getAsInt() * dprHundredths, 2)
            .setScale(0, RoundingMode.HALF_UP)
            .intValueExact();
    if (px > sidePxMax) {
      throw EdgeException.badOperation(
          "w and h times dpr may be " + sidePxMax + " px at most; this asks for " + px + ".");
    }
    return OptionalInt.of(px);
  }

  /** These operations over a preset. */
  public Operations with(Preset value) {
    return new Operations(
        original, Optional.of(value), width, height, fit, dprHundredths, quality, expiresS);
  }

  /** Box width in CSS pixels. */
  public Operations width(int px) {
    return new Operations(
        original, preset, OptionalInt.of(px), height, fit, dprHundredths, quality, expiresS);
  }

  /** Box height in CSS pixels. */
  public Operations height(int px) {
    return new Operations(
        original, preset, width, OptionalInt.of(px), fit, dprHundredths, quality, expiresS);
  }

  /** How the picture meets the box. */
  public Operations fit(Fit value) {
    return new Operations(
        original, preset, width, height, Optional.of(value), dprHundredths, quality, expiresS);
  }

  /** Device pixel ratio in hundredths: 150 is 1.5. */
  public Operations dpr(int hundredths) {
    return new Operations(original, preset, width, height, fit, hundredths, quality, expiresS);
  }

  /** Quality, 1 to 100. */
  public Operations quality(int value) {
    return new Operations(
        original, preset, width, height, fit, dprHundredths, OptionalInt.of(value), expiresS);
  }

  /** Good until this second, inclusive. */
  public Operations expires(Instant last) {
    return withExpiry(OptionalLong.of(last.getEpochSecond()));
  }

  private Operations withExpiry(OptionalLong value) {
    return new Operations(original, preset, width, height, fit, dprHundredths, quality, value);
  }
}
