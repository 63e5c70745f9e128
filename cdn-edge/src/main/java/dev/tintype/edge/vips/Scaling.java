package dev.tintype.edge.vips;

import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Metadata;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * From the original that is open to a picture of the wanted size, upright, lines to be read once.
 * Three ways give the same picture, the cheapest that can is taken:
 *
 * <ul>
 *   <li>{@code vips_resize}, where nothing else is to be done: a PNG of 8 bits a sample in sRGB
 *       without transparency, which is what the platform paints.
 *   <li>{@code vips_thumbnail_image}: also minds transparency, colours, orientation.
 *   <li>{@code vips_thumbnail_buffer}, which opens the original anew, and has the decoders of JPEG
 *       and WebP shrink while they decode, and AVIF's take a thumbnail that is large enough.
 * </ul>
 */
final class Scaling {
  /** Of the orientations of EXIF; 0 stands for none. */
  private static final int UPRIGHT = 1;

  private static final String PROFILE = "icc-profile-data";
  private static final int RGB = 3;

  private Scaling() {}

  /**
   * Replaces the chain's image by one of exactly the scaled size.
   *
   * @param data the original, which the chain's image reads
   * @param metadata where the ICC profile goes, the colours become sRGB first
   */
  static void toSize(
      VipsCalls calls,
      Arena arena,
      ImageChain chain,
      MemorySegment data,
      ImageFormat format,
      Geometry geometry,
      Metadata metadata) {
    int width = geometry.scaledWidth();
    int height = geometry.scaledHeight();
    boolean profile = Fields.has(arena, chain.image(), PROFILE);
    // Without a profile libvips takes colours for sRGB anyway.
    boolean sRgb = profile && metadata == Metadata.STRIP;
    if (format != ImageFormat.PNG) {
      chain.then("thumbnail", (in, out) -> calls.thumbnail(data, out, width, height, sRgb));
    } else if (profile || !plain(arena, chain.image())) {
      chain.then("thumbnail", (in, out) -> calls.scale(in, out, width, height, sRgb));
    } else {
      // Reciprocals of reciprocals, as vips_thumbnail reckons: the same sizes to the last pixel.
      double across = 1 / ((double) chain.width() / width);
      double down = 1 / ((double) chain.height() / height);
      chain.then("resize", (in, out) -> calls.unbound().resize(in, out, across, down));
    }
  }

  private static boolean plain(Arena arena, MemorySegment image) {
    return Vips.vips_image_get_format(image) == VipsCalls.UCHAR
        && Vips.vips_image_get_bands(image) == RGB
        && Vips.vips_image_get_interpretation(image) == Vips.VIPS_INTERPRETATION_sRGB()
        && Fields.number(arena, image, "orientation") <= UPRIGHT;
  }
}
