package dev.tintype.edge.vips;

import dev.tintype.edge.url.Gravity;
import dev.tintype.edge.url.VariantSpec;

/**
 * Where the pixels go: the picture is scaled to {@code scaledWidth x scaledHeight}, then cut or
 * filled up to {@code width x height}. Nothing is ever enlarged; a box larger than the picture
 * shrinks, and keeps its shape.
 *
 * @param scaledWidth width of the whole picture after scaling, px
 * @param scaledHeight height of the whole picture after scaling, px
 * @param width width of the variant, px
 * @param height height of the variant, px
 */
record Geometry(int scaledWidth, int scaledHeight, int width, int height) {

  static Geometry of(int originalWidth, int originalHeight, VariantSpec spec) {
    double boxWidth = spec.width().isPresent() ? spec.width().getAsInt() : Double.POSITIVE_INFINITY;
    double boxHeight =
        spec.height().isPresent() ? spec.height().getAsInt() : Double.POSITIVE_INFINITY;
    double horizontal = boxWidth / originalWidth;
    double vertical = boxHeight / originalHeight;
    return switch (spec.fit()) {
      case INSIDE -> {
        double scale = Math.min(1, Math.min(horizontal, vertical));
        int width = side(originalWidth * scale);
        int height = side(originalHeight * scale);
        yield new Geometry(width, height, width, height);
      }
      case COVER -> {
        double wanted = Math.max(horizontal, vertical);
        double scale = Math.min(1, wanted);
        int width = side(boxWidth * scale / wanted);
        int height = side(boxHeight * scale / wanted);
        yield new Geometry(
            Math.max(width, side(originalWidth * scale)),
            Math.max(height, side(originalHeight * scale)),
            width,
            height);
      }
      case CONTAIN -> {
        double wanted = Math.min(horizontal, vertical);
        double scale = Math.min(1, wanted);
        int width = side(boxWidth * scale / wanted);
        int height = side(boxHeight * scale / wanted);
        yield new Geometry(
            Math.min(width, side(originalWidth * scale)),
            Math.min(height, side(originalHeight * scale)),
            width,
            height);
      }
    };
  }

  private static int side(double px) {
    return Math.max(1, (int) Math.round(px));
  }

  boolean cuts() {
    return scaledWidth > width || scaledHeight > height;
  }

  boolean fillsUp() {
    return scaledWidth < width || scaledHeight < height;
  }

  /** Distance of the cut, or of the picture in its box, from the left, px. */
  int left(Gravity gravity) {
    return gravity.left(Math.max(scaledWidth, width), Math.min(scaledWidth, width));
  }

  /** Distance of the cut, or of the picture in its box, from the top, px. */
  int top(Gravity gravity) {
    return gravity.top(Math.max(scaledHeight, height), Math.min(scaledHeight, height));
  }
}
