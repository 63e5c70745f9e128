package dev.tintype.edge.url;

import dev.tintype.edge.error.EdgeException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The operations that say how large a variant is, and of which part of the picture.
 *
 * @param preset a size with a name
 * @param width {@code w}: box width in CSS pixels, 1 to 16,383
 * @param height {@code h}: box height in CSS pixels, 1 to 16,383
 * @param fit {@code fit}: cover, contain or inside
 * @param gravity {@code g}: what stays where cover cuts
 * @param dprHundredths {@code dpr}: device pixel ratio in hundredths, 100 to 400
 */
public record Box(
    Optional<Preset> preset,
    OptionalInt width,
    OptionalInt height,
    Optional<Fit> fit,
    Optional<Gravity> gravity,
    int dprHundredths) {
  static final int DPR_ONE = 100;

  static final Box NONE =
      new Box(
          Optional.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          DPR_ONE);

  Box with(Preset value) {
    return new Box(Optional.of(value), width, height, fit, gravity, dprHundredths);
  }

  Box withWidth(int px) {
    return new Box(preset, OptionalInt.of(px), height, fit, gravity, dprHundredths);
  }

  Box withHeight(int px) {
    return new Box(preset, width, OptionalInt.of(px), fit, gravity, dprHundredths);
  }

  Box with(Fit value) {
    return new Box(preset, width, height, Optional.of(value), gravity, dprHundredths);
  }

  Box with(Gravity value) {
    return new Box(preset, width, height, fit, Optional.of(value), dprHundredths);
  }

  Box withDpr(int hundredths) {
    return new Box(preset, width, height, fit, gravity, hundredths);
  }

  /** Whether there is a box that a device pixel ratio could enlarge. */
  boolean sized() {
    return boxWidth().isPresent() || boxHeight().isPresent();
  }

  /** Whether no side is longer, device pixel ratio included. */
  boolean within(int sidePxMax) {
    long longest = Math.max(boxWidth().orElse(0), boxHeight().orElse(0));
    return longest * dprHundredths <= (long) sidePxMax * DPR_ONE;
  }

  private Preset base() {
    return preset.orElse(Preset.FULL);
  }

  private OptionalInt boxWidth() {
    return width.isPresent() ? width : base().width();
  }

  private OptionalInt boxHeight() {
    return height.isPresent() ? height : base().height();
  }

  /** A box with one side has no shape that could differ from the picture's. */
  private Fit effectiveFit() {
    return boxWidth().isPresent() && boxHeight().isPresent()
        ? fit.orElse(base().fit())
        : Fit.INSIDE;
  }

  /** Adds what changes something. */
  void tokens(List<String> tokens) {
    Optional<Preset> named = preset.filter(each -> each != Preset.FULL);
    named.ifPresent(each -> tokens.add(each.word()));
    width.ifPresent(each -> tokens.add("w:" + each));
    height.ifPresent(each -> tokens.add("h:" + each));
    if (dprHundredths != DPR_ONE && sized()) {
      tokens.add("dpr:" + Values.decimal(dprHundredths, 2));
    }
    fit.filter(
            each ->
                named.isPresent()
                    || (each != Fit.INSIDE && width.isPresent() && height.isPresent()))
        .ifPresent(each -> tokens.add("fit:" + each.word()));
    gravity
        .filter(each -> effectiveFit() == Fit.COVER && each != base().gravity())
        .ifPresent(each -> tokens.add("g:" + each.word()));
  }

  /** Presets and the device pixel ratio filled in. */
  VariantSpec.Area resolve(int sidePxMax) {
    Fit shape = effectiveFit();
    return new VariantSpec.Area(
        scaled(boxWidth(), sidePxMax),
        scaled(boxHeight(), sidePxMax),
        shape,
        shape == Fit.COVER ? gravity.orElse(base().gravity()) : Gravity.CENTRE);
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
}
