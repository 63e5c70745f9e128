package dev.tintype.edge.url;

import java.util.Locale;

/**
 * How a picture meets a box of width x height whose shape differs from its own. No fit ever
 * enlarges a picture.
 */
public enum Fit {
  /** Fills the box; what stands over is cut off, {@link Gravity} says where. */
  COVER,
  /**
   * Lies whole in the box, which is filled up: transparent where picture and format can be, white
   * otherwise.
   */
  CONTAIN,
  /**
   * Lies whole in the box and keeps its own shape: the result is at most as large as the box. The
   * default.
   */
  INSIDE;

  /** The word of the URL. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
