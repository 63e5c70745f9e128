package dev.tintype.edge.vips;

import dev.tintype.edge.url.Metadata;
import dev.tintype.edge.url.VariantSpec;

/** libvips' savers with their options, in its own notation. */
final class Saver {
  /** Of the lossless WebP encoder, 0 to 6: 4 is its own default. */
  private static final int WEBP_LOSSLESS_EFFORT = 4;

  private Saver() {}

  /**
   * Transparent pixels become white where a format has no transparency.
   *
   * @param avifEffort 0 to 9
   */
  static String options(VariantSpec spec, int avifEffort, Metadata metadata) {
    String keep = ",keep=" + Provenance.keep(metadata);
    String interlace = spec.coding().progressive() ? ",interlace" : "";
    boolean lossless = spec.coding().lossless();
    return switch (spec.format()) {
      case JPEG ->
          ".jpg[Q=" + spec.quality() + ",optimize_coding,background=255" + interlace + keep + "]";
      case WEBP ->
          lossless
              ? ".webp[lossless,effort=" + WEBP_LOSSLESS_EFFORT + keep + "]"
              : ".webp[Q=" + spec.quality() + keep + "]";
      case AVIF ->
          ".avif["
              + (lossless ? "lossless" : "Q=" + spec.quality())
              + ",effort="
              + avifEffort
              + ",bitdepth=8"
              + keep
              + "]";
      case PNG -> ".png[compression=6" + interlace + keep + "]";
    };
  }
}
