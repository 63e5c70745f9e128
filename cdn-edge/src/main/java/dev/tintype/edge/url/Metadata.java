package dev.tintype.edge.url;

import java.util.Locale;

/**
 * What a variant carries besides its pixels. The mark that a picture is generated (IPTC Digital
 * Source Type) is not among the choices: it stays in every variant.
 */
public enum Metadata {
  /** All of it: XMP, EXIF, ICC profile, and the recipe. */
  KEEP,
  /** Nothing but the mark; colours are converted to sRGB, as the profile goes. */
  STRIP;

  /** The word of the URL. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
