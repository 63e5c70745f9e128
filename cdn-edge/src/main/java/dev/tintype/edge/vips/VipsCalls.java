package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_DOUBLE;
import static dev.tintype.edge.bindings.vips.Vips.C_INT;
import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;
import static java.lang.foreign.MemorySegment.NULL;

import dev.tintype.edge.bindings.vips.Vips;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The operations of libvips with the options that the edge gives, as methods: the C functions take
 * names and values of options in turn, and NULL at the end, and only here is that written down.
 * They return 0 where it went well, as C does. Made after the library is loaded, because the
 * handles look their symbols up.
 */
final class VipsCalls {
  /** VIPS_FORMAT_UCHAR: 8 bits a sample. */
  static final int UCHAR = 0;

  private static final int DPI = 72;

  private final MemorySegment height = name("height");
  private final MemorySegment size = name("size");
  private final MemorySegment options = name("option_string");
  private final MemorySegment strict = name("[fail_on=error]");
  private final MemorySegment exportProfile = name("export_profile");
  private final MemorySegment srgb = name("srgb");
  private final MemorySegment access = name("access");
  private final MemorySegment interesting = name("interesting");
  private final MemorySegment extend = name("extend");
  private final MemorySegment background = name("background");
  private final MemorySegment interpretation = name("interpretation");
  private final MemorySegment sigma = name("sigma");
  private final MemorySegment x = name("x");
  private final MemorySegment y = name("y");
  private final MemorySegment font = name("font");
  private final MemorySegment dpi = name("dpi");

  private final Vips.vips_image_new_from_buffer open =
      Vips.vips_image_new_from_buffer.makeInvoker(C_POINTER, C_INT, C_POINTER);
  private final Vips.vips_thumbnail_buffer thumbnail =
      Vips.vips_thumbnail_buffer.makeInvoker(
          C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER, C_POINTER, C_POINTER);
  private final Vips.vips_thumbnail_buffer thumbnailTo =
      Vips.vips_thumbnail_buffer.makeInvoker(
          C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER, C_POINTER, C_POINTER, C_POINTER,
          C_POINTER);
  private final Vips.vips_thumbnail_image thumbnailImage =
      Vips.vips_thumbnail_image.makeInvoker(C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER);
  private final Vips.vips_thumbnail_image thumbnailImageTo =
      Vips.vips_thumbnail_image.makeInvoker(
          C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER, C_POINTER, C_POINTER);
  private final Vips.vips_extract_area extract = Vips.vips_extract_area.makeInvoker(C_POINTER);
  private final Vips.vips_smartcrop smartcrop =
      Vips.vips_smartcrop.makeInvoker(C_POINTER, C_INT, C_POINTER);
  private final Vips.vips_embed embed = Vips.vips_embed.makeInvoker(C_POINTER, C_INT, C_POINTER);
  private final Vips.vips_embed embedOn =
      Vips.vips_embed.makeInvoker(C_POINTER, C_INT, C_POINTER, C_POINTER, C_POINTER);
  private final Vips.vips_flatten flatten = Vips.vips_flatten.makeInvoker(C_POINTER);
  private final Vips.vips_flatten flattenOn =
      Vips.vips_flatten.makeInvoker(C_POINTER, C_POINTER, C_POINTER);
  private final Vips.vips_colourspace colourspace = Vips.vips_colourspace.makeInvoker(C_POINTER);
  private final Vips.vips_copy copy = Vips.vips_copy.makeInvoker(C_POINTER);
  private final Vips.vips_copy copyAs = Vips.vips_copy.makeInvoker(C_POINTER, C_INT, C_POINTER);
  private final Vips.vips_cast cast = Vips.vips_cast.makeInvoker(C_POINTER);
  private final Vips.vips_gaussblur blur = Vips.vips_gaussblur.makeInvoker(C_POINTER);
  private final Vips.vips_sharpen sharpen =
      Vips.vips_sharpen.makeInvoker(C_POINTER, C_DOUBLE, C_POINTER);
  private final Vips.vips_composite2 composite =
      Vips.vips_composite2.makeInvoker(C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER);
  private final Vips.vips_text text =
      Vips.vips_text.makeInvoker(C_POINTER, C_POINTER, C_POINTER, C_INT, C_POINTER);
  private final Vips.vips_image_write_to_buffer write =
      Vips.vips_image_write_to_buffer.makeInvoker(C_POINTER);
  private final UnboundCalls unbound = UnboundCalls.make();

  /** Lives as long as the process, as the library does. */
  private static MemorySegment name(String text) {
    return Arena.global().allocateFrom(text);
  }

  UnboundCalls unbound() {
    return unbound;
  }

  /** An image whose header has been read, lines to be read once; NULL where that failed. */
  MemorySegment open(MemorySegment data) {
    return open.apply(data, data.byteSize(), strict, access, Vips.VIPS_ACCESS_SEQUENTIAL(), NULL);
  }

  /**
   * A picture of exactly that size, upright; what is damaged is an error.
   *
   * @param sRgb whether the colours become sRGB; else they keep their profile
   */
  int thumbnail(MemorySegment data, MemorySegment out, int width, int tall, boolean sRgb) {
    int force = Vips.VIPS_SIZE_FORCE();
    long length = data.byteSize();
    return sRgb
        ? thumbnailTo.apply(
            data,
            length,
            out,
            width,
            height,
            tall,
            size,
            force,
            options,
            strict,
            exportProfile,
            srgb,
            NULL)
        : thumbnail.apply(
            data, length, out, width, height, tall, size, force, options, strict, NULL);
  }

  /** The same of an image that is open. */
  int scale(MemorySegment in, MemorySegment out, int width, int tall, boolean sRgb) {
    int force = Vips.VIPS_SIZE_FORCE();
    return sRgb
        ? thumbnailImageTo.apply(
            in, out, width, height, tall, size, force, exportProfile, srgb, NULL)
        : thumbnailImage.apply(in, out, width, height, tall, size, force, NULL);
  }

  int extract(MemorySegment in, MemorySegment out, int left, int top, int width, int tall) {
    return extract.apply(in, out, left, top, width, tall, NULL);
  }

  /** Cuts to what the eye is drawn to. */
  int smartcrop(MemorySegment in, MemorySegment out, int width, int tall) {
    return smartcrop.apply(
        in, out, width, tall, interesting, Vips.VIPS_INTERESTING_ATTENTION(), NULL);
  }

  /**
   * Lays a picture into a larger one.
   *
   * @param how a VIPS_EXTEND
   */
  int embed(MemorySegment in, MemorySegment out, int left, int top, int width, int tall, int how) {
    return embed.apply(in, out, left, top, width, tall, extend, how, NULL);
  }

  /**
   * Lays a picture into a larger one of a colour.
   *
   * @param colour a VipsArrayDouble
   */
  int embedOn(
      MemorySegment in,
      MemorySegment out,
      int left,
      int top,
      int width,
      int tall,
      MemorySegment colour) {
    int how = Vips.VIPS_EXTEND_BACKGROUND();
    return embedOn.apply(in, out, left, top, width, tall, extend, how, background, colour, NULL);
  }

  /** Takes transparency away, over black. */
  int flatten(MemorySegment in, MemorySegment out) {
    return flatten.apply(in, out, NULL);
  }

  /**
   * Takes transparency away, over a colour.
   *
   * @param colour a VipsArrayDouble
   */
  int flattenOn(MemorySegment in, MemorySegment out, MemorySegment colour) {
    return flattenOn.apply(in, out, background, colour, NULL);
  }

  int toSrgb(MemorySegment in, MemorySegment out) {
    return colourspace.apply(in, out, Vips.VIPS_INTERPRETATION_sRGB(), NULL);
  }

  int copy(MemorySegment in, MemorySegment out) {
    return copy.apply(in, out, NULL);
  }

  /** The same pixels, said to be sRGB. */
  int copyAsSrgb(MemorySegment in, MemorySegment out) {
    return copyAs.apply(in, out, interpretation, Vips.VIPS_INTERPRETATION_sRGB(), NULL);
  }

  /** To 8 bits a sample. */
  int toBytes(MemorySegment in, MemorySegment out) {
    return cast.apply(in, out, UCHAR, NULL);
  }

  /** Gaussian blur. */
  int blur(MemorySegment in, MemorySegment out, double width) {
    return blur.apply(in, out, width, NULL);
  }

  int sharpen(MemorySegment in, MemorySegment out, double width) {
    return sharpen.apply(in, out, sigma, width, NULL);
  }

  /** Lays a picture over another. */
  int over(MemorySegment below, MemorySegment above, MemorySegment out, int left, int top) {
    return composite.apply(below, above, out, Vips.VIPS_BLEND_MODE_OVER(), x, left, y, top, NULL);
  }

  /** One band: how much of each pixel the letters cover. */
  int text(MemorySegment out, MemorySegment markup, MemorySegment fontName) {
    return text.apply(out, markup, font, fontName, dpi, DPI, NULL);
  }

  /**
   * Encodes.
   *
   * @param saver a suffix with options, such as {@code .webp[Q=80]}
   */
  int write(MemorySegment image, MemorySegment saver, MemorySegment bytes, MemorySegment length) {
    return write.apply(image, saver, bytes, length, NULL);
  }
}
