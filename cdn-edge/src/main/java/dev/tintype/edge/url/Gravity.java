package dev.tintype.edge.url;

import java.util.Locale;

/** Which part of a picture stays when {@link Fit#COVER} cuts it. */
public enum Gravity {
  /** The middle. */
  CENTRE(0, 0),
  /** Where the eye is drawn: libvips' attention (skin, saturation, edges). */
  SMART(0, 0),
  NORTH(0, -1),
  NORTHEAST(1, -1),
  EAST(1, 0),
  SOUTHEAST(1, 1),
  SOUTH(0, 1),
  SOUTHWEST(-1, 1),
  WEST(-1, 0),
  NORTHWEST(-1, -1);

  private final int x;
  private final int y;

  Gravity(int x, int y) {
    this.x = x;
    this.y = y;
  }

  /** Left edge of a part of {@code part} px in {@code whole} px; 0 is the left edge. */
  public int left(int whole, int part) {
    return (whole - part) * (x + 1) / 2;
  }

  /** Top edge of a part of {@code part} px in {@code whole} px; 0 is the top. */
  public int top(int whole, int part) {
    return (whole - part) * (y + 1) / 2;
  }

  /** The word of the URL. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
