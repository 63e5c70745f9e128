package dev.tintype.edge.url;

import java.util.Locale;
import java.util.OptionalInt;

/** Sizes with a name. An operation that is given beside a preset wins over the preset's own. */
public enum Preset {
  /** 640 px wide, whole picture. */
  CARD(OptionalInt.of(640), OptionalInt.empty(), Fit.INSIDE),
  /** The original's size, in another format. The canonical form of "no operation at all". */
  FULL(OptionalInt.empty(), OptionalInt.empty(), Fit.INSIDE),
  /** 256 x 256 px, cut to the square. */
  THUMB(OptionalInt.of(256), OptionalInt.of(256), Fit.COVER);

  private final OptionalInt width;
  private final OptionalInt height;
  private final Fit fit;

  Preset(OptionalInt width, OptionalInt height, Fit fit) {
    this.width = width;
    this.height = height;
    this.fit = fit;
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

  /** The word of the URL. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
