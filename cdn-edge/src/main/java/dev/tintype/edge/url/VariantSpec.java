package dev.tintype.edge.url;

import java.util.OptionalInt;

/**
 * What to make of an original, with every default filled in and presets resolved: two URLs that
 * mean the same picture have the same spec.
 *
 * @param width box width in pixels, device pixel ratio included; empty when free
 * @param height box height in pixels, device pixel ratio included; empty when free
 * @param fit how the picture meets the box
 * @param format what it is encoded as
 * @param quality 1 to 100; 0 for a lossless format
 */
public record VariantSpec(
    OptionalInt width, OptionalInt height, Fit fit, ImageFormat format, int quality) {

  /** One text for one spec; part of the variant's name in the caches. */
  public String text() {
    return "w"
        + width.orElse(0)
        + ",h"
        + height.orElse(0)
        + ","
        + fit.word()
        + ",q"
        + quality
        + ","
        + format.extension();
  }
}
