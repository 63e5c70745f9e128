package dev.tintype.edge.url;

import dev.tintype.edge.error.EdgeException;
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
 * @param box how large, and which part
 * @param look what is done to the pixels
 * @param coding how the variant is written
 * @param expiresS {@code exp}: last second (Unix time) in which the URL is good
 */
public record Operations(
    boolean original, Box box, Look look, Coding coding, OptionalLong expiresS) {

  /** Longest text of operations that is read at all. */
  public static final int TEXT_CHARS_MAX = 200;

  /** Largest {@code w} and {@code h} in the grammar; the configuration may allow less. */
  public static final int SIDE_PX_MAX = 16_383;

  private static final int DPR_MAX = 400;
  private static final int QUALITY_MAX = 100;
  private static final long SECONDS_MAX = 99_999_999_999L;

  private static final Operations NONE =
      new Operations(false, Box.NONE, Look.NONE, Coding.NONE, OptionalLong.empty());

  /** No operation: the whole picture in its own size. */
  public static Operations none() {
    return NONE;
  }

  /** The original's own bytes. */
  public static Operations orig() {
    return new Operations(true, NONE.box, NONE.look, NONE.coding, NONE.expiresS);
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
      if (!seen.add(colon < 0 ? kind(name) : name)) {
        throw EdgeException.badOperation(
            "'" + Values.printable(token) + "' stands twice, or beside one that excludes it.");
      }
      operations =
          colon < 0
              ? operations.withWord(name)
              : operations.withPair(name, token.substring(colon + 1));
    }
    if (operations.original && !operations.withExpiry(OptionalLong.empty()).equals(orig())) {
      throw EdgeException.badOperation(
          "orig goes with exp alone; leave the other operations out, or orig.");
    }
    return operations;
  }

  /** Of each kind there is one at most: of the presets, and of keep and strip. */
  private static String kind(String word) {
    return switch (word) {
      case "orig", "lossless", "progressive", "watermark" -> word;
      case "keep", "strip" -> "metadata";
      default -> "preset";
    };
  }

  private Operations withWord(String word) {
    switch (word) {
      case "orig" -> {
        return new Operations(true, box, look, coding, expiresS);
      }
      case "lossless" -> {
        return lossless();
      }
      case "progressive" -> {
        return progressive();
      }
      case "watermark" -> {
        return watermark();
      }
      case "keep" -> {
        return metadata(Metadata.KEEP);
      }
      case "strip" -> {
        return metadata(Metadata.STRIP);
      }
      default -> {}
    }
    return Preset.ofWord(word)
        .map(this::with)
        .orElseThrow(
            () ->
                EdgeException.badOperation(
                    "'"
                        + Values.printable(word)
                        + "' is no preset; there are card, full, og, thumb, tile, and orig for the"
                        + " original."));
  }

  private Operations withPair(String name, String value) {
    return switch (name) {
      case "w" -> width((int) Values.number(name, value, 1, SIDE_PX_MAX));
      case "h" -> height((int) Values.number(name, value, 1, SIDE_PX_MAX));
      case "q" -> quality((int) Values.number(name, value, 1, QUALITY_MAX));
      case "exp" -> withExpiry(OptionalLong.of(Values.number(name, value, 0, SECONDS_MAX)));
      case "dpr" -> dpr(Values.decimal(name, value, 2, Box.DPR_ONE, DPR_MAX));
      case "fit" -> fit(Values.fit(value));
      case "g" -> gravity(Values.gravity(value));
      case "bg" -> background(Values.colour(name, value));
      case "blur" ->
          blur(Values.decimal(name, value, 1, Look.SIGMA_TENTHS_MIN, Look.BLUR_TENTHS_MAX));
      case "sharpen" ->
          sharpen(Values.decimal(name, value, 1, Look.SIGMA_TENTHS_MIN, Look.SHARPEN_TENTHS_MAX));
      default ->
          throw EdgeException.badOperation(
              "'"
                  + Values.printable(name)
                  + "' is no operation with a value; there are w, h, fit, g, dpr, q, bg, blur,"
                  + " sharpen and exp.");
    };
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
    box.tokens(tokens);
    look.tokens(tokens);
    coding.tokens(format, tokens);
    expiresS.ifPresent(each -> tokens.add("exp:" + each));
    if (tokens.isEmpty()) {
      return Preset.FULL.word();
    }
    tokens.sort(null);
    return String.join(",", tokens);
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
    Coding meant = coding.on(format);
    boolean loses = format.lossy() && !meant.lossless();
    int level = loses ? meant.quality().orElseGet(() -> qualityOf.applyAsInt(format)) : 0;
    Coding rest =
        new Coding(OptionalInt.empty(), meant.lossless(), meant.progressive(), meant.metadata());
    return new VariantSpec(box.resolve(sidePxMax), look, format, rest, level);
  }

  /** These operations over a preset. */
  public Operations with(Preset value) {
    return with(box.with(value));
  }

  /** Box width in CSS pixels. */
  public Operations width(int px) {
    return with(box.withWidth(px));
  }

  /** Box height in CSS pixels. */
  public Operations height(int px) {
    return with(box.withHeight(px));
  }

  /** How the picture meets the box. */
  public Operations fit(Fit value) {
    return with(box.with(value));
  }

  /** What stays where the picture is cut. */
  public Operations gravity(Gravity value) {
    return with(box.with(value));
  }

  /** Device pixel ratio in hundredths: 150 is 1.5. */
  public Operations dpr(int hundredths) {
    return with(box.withDpr(hundredths));
  }

  /** Quality, 1 to 100. */
  public Operations quality(int value) {
    return with(coding.withQuality(value));
  }

  /** Without loss, as WebP and AVIF. */
  public Operations lossless() {
    return with(coding.withLossless());
  }

  /** Coarse first, as JPEG and PNG. */
  public Operations progressive() {
    return with(coding.withProgressive());
  }

  /** What the variant carries besides its pixels. */
  public Operations metadata(Metadata value) {
    return with(coding.with(value));
  }

  /** Gaussian blur; sigma in tenths of a pixel of the variant. */
  public Operations blur(int tenths) {
    return with(look.withBlur(tenths));
  }

  /** Sharpening; sigma in tenths of a pixel of the variant. */
  public Operations sharpen(int tenths) {
    return with(look.withSharpen(tenths));
  }

  /** 0xRRGGBB behind and around the picture. */
  public Operations background(int rgb) {
    return with(look.withBackground(rgb));
  }

  /** With the mark that the edge's configuration names. */
  public Operations watermark() {
    return with(look.withWatermark());
  }

  /**
   * For a screen of that density, where the URL leaves the density open and has a box: the density
   * in hundredths, or the largest whole one that the box allows.
   */
  public Operations onScreen(int hundredths, int sidePxMax) {
    int ratio = hundredths;
    while (ratio > Box.DPR_ONE && !box.withDpr(ratio).within(sidePxMax)) {
      ratio = Math.max(Box.DPR_ONE, (ratio - 1) / 100 * 100);
    }
    return box.dprHundredths() == Box.DPR_ONE && box.sized() ? dpr(ratio) : this;
  }

  /** Good until this second, inclusive. */
  public Operations expires(Instant last) {
    return withExpiry(OptionalLong.of(last.getEpochSecond()));
  }

  private Operations with(Box value) {
    return new Operations(original, value, look, coding, expiresS);
  }

  private Operations with(Look value) {
    return new Operations(original, box, value, coding, expiresS);
  }

  private Operations with(Coding value) {
    return new Operations(original, box, look, value, expiresS);
  }

  private Operations withExpiry(OptionalLong value) {
    return new Operations(original, box, look, coding, value);
  }
}
