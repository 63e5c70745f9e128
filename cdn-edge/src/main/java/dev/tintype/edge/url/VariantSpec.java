package dev.tintype.edge.url;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * What to make of an original, with every default filled in and presets resolved: two URLs that
 * mean the same picture have the same spec.
 *
 * @param area how large, and which part
 * @param look what is done to the pixels
 * @param format what it is encoded as
 * @param coding how it is written; holds nothing that means nothing to the format
 * @param quality 1 to 100; 0 where nothing is lost
 */
public record VariantSpec(Area area, Look look, ImageFormat format, Coding coding, int quality) {

  /**
   * Where the pixels come from and go to.
   *
   * @param width box width in pixels, device pixel ratio included; empty when free
   * @param height box height in pixels, device pixel ratio included; empty when free
   * @param fit how the picture meets the box
   * @param gravity what stays where cover cuts
   */
  public record Area(OptionalInt width, OptionalInt height, Fit fit, Gravity gravity) {}

  /** A size and a quality, and nothing else. */
  public VariantSpec(
      OptionalInt width, OptionalInt height, Fit fit, ImageFormat format, int quality) {
    this(new Area(width, height, fit, Gravity.CENTRE), Look.NONE, format, Coding.NONE, quality);
  }

  /** Box width in pixels; empty when free. */
  public OptionalInt width() {
    return area.width;
  }

  /** Box height in pixels; empty when free. */
  public OptionalInt height() {
    return area.height;
  }

  /** How the picture meets the box. */
  public Fit fit() {
    return area.fit;
  }

  /** One text for one spec; part of the variant's name in the caches. */
  public String text() {
    List<String> parts = new ArrayList<>();
    parts.add("w" + area.width.orElse(0));
    parts.add("h" + area.height.orElse(0));
    parts.add(area.fit.word());
    if (area.gravity != Gravity.CENTRE) {
      parts.add(area.gravity.word());
    }
    look.tokens(parts);
    parts.add("q" + quality);
    coding.words(parts);
    parts.add(format.extension());
    return String.join(",", parts);
  }
}
