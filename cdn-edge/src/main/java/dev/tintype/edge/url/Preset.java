package dev.tintype.edge.url;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** Sizes with a name. An operation that is given beside a preset wins over the preset's own. */
public enum Preset {
  /** 640 px wide, whole picture. */
  CARD(OptionalInt.of(640), OptionalInt.empty(), Fit.INSIDE, Gravity.CENTRE),
  /** The original's size, in another format. The canonical form of "no operation at all". */
  FULL(OptionalInt.empty(), OptionalInt.empty(), Fit.INSIDE, Gravity.CENTRE),
  /** 1200 x 630 px, the size that links have on other sites (Open Graph), cut to what matters. */
  OG(OptionalInt.of(1200), OptionalInt.of(630), Fit.COVER, Gravity.SMART),
  /** 256 x 256 px, cut to the square in the middle. */
  THUMB(OptionalInt.of(256), OptionalInt.of(256), Fit.COVER, Gravity.CENTRE),
  /** 384 x 384 px, the tile of a grid of pictures, cut to what matters. */
  TILE(OptionalInt.of(384), OptionalInt.of(384), Fit.COVER, Gravity.SMART);

  private final OptionalInt width;
  private final OptionalInt height;
  private final Fit fit;
  private final Gravity gravity;

  Preset(OptionalInt width, OptionalInt height, Fit fit, Gravity gravity) {
    this.width = width;
    this.height = height;
    this.fit = fit;
    this.gravity = gravity;
  }

  OptionalInt width() {
    return width;
  }

  OptionalInt height() {
    return height;
  }

  Fit fit() {
    return fit;
  }

  Gravity gravity() {
    return gravity;
  }

  /** The preset of a word. */
  public static Optional<Preset> ofWord(String word) {
    return Stream.of(values()).filter(each -> each.word().equals(word)).findFirst();
  }

  /** The word of the URL. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
