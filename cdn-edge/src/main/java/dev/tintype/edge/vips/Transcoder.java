package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_INT;
import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;
import static java.lang.foreign.MemorySegment.NULL;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.VariantSpec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one variant of one original. Thread-safe; the calling thread does the work, so the caller
 * bounds how many run at once. All native memory of a call belongs to that call.
 */
public final class Transcoder {
  /**
   * Raised when the same original and spec would give other bytes than before, so that validators
   * and caches change too.
   */
  private static final int REVISION = 1;

  /** Largest side of a WebP (14 bits, less one); AVIF of the usual level ends near it. */
  private static final int WEBP_SIDE_PX_MAX = 16_383;

  private static final Logger LOG = LoggerFactory.getLogger(Transcoder.class);

  private final EdgeConfig.Encoder encoder;
  private final EdgeConfig.Limits limits;
  private final String version;
  private final Calls calls;

  /** Native handles; made after the library is loaded, because they look their symbols up. */
  private record Calls(
      Vips.vips_image_new_from_buffer open,
      Vips.vips_thumbnail_buffer thumbnail,
      Vips.vips_extract_area extract,
      Vips.vips_embed embed,
      Vips.vips_image_write_to_buffer write) {
    static Calls make() {
      return new Calls(
          Vips.vips_image_new_from_buffer.makeInvoker(C_POINTER, C_INT, C_POINTER),
          Vips.vips_thumbnail_buffer.makeInvoker(
              C_POINTER, C_INT, C_POINTER, C_INT, C_POINTER, C_POINTER, C_POINTER),
          Vips.vips_extract_area.makeInvoker(C_POINTER),
          Vips.vips_embed.makeInvoker(C_POINTER, C_INT, C_POINTER),
          Vips.vips_image_write_to_buffer.makeInvoker(C_POINTER));
    }
  }

  /** What the header says. */
  private record Header(int width, int height, boolean alpha) {}

  /**
   * For a library that is ready.
   *
   * @param library what {@link VipsLibrary#load} said
   */
  public Transcoder(
      VipsLibrary.Ready library, EdgeConfig.Encoder encoder, EdgeConfig.Limits limits) {
    this.encoder = encoder;
    this.limits = limits;
    calls = Calls.make();
    Vips.vips_concurrency_set(encoder.vipsThreads());
    version =
        "vips-"
            + library.version()
            + "-"
            + REVISION
            + "-e"
            + encoder.avifEffort()
            + (encoder.keepMetadata() ? "k" : "s");
  }

  /** Names everything besides the original and the spec that the bytes of a variant depend on. */
  public String version() {
    return version;
  }

  /**
   * Decodes, resizes, encodes.
   *
   * @param kill lets another thread stop it
   * @return the variant's bytes
   * @throws EdgeException edge.original.format, edge.original.too_large, edge.original.corrupt
   * @throws IOException when the original cannot be read
   */
  public byte[] transcode(OriginalImage original, VariantSpec spec, KillSwitch kill)
      throws IOException {
    if (original.size() > limits.originalBytesMax()) {
      throw EdgeException.tooLarge(
          "The original has more than " + limits.originalBytesMax() + " bytes.");
    }
    ImageFormat format =
        ImageSniffer.format(original.head(ImageSniffer.HEAD_BYTES))
            .orElseThrow(EdgeException::wrongFormat);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = original.read(arena);
      Header header = header(arena, data, format);
      Geometry geometry = Geometry.of(header.width, header.height, spec);
      check(geometry, spec.format());
      MemorySegment image = resized(arena, data, geometry, header);
      try {
        kill.attach(image);
        return encode(arena, image, spec);
      } finally {
        kill.detach();
        Vips.g_object_unref(image);
      }
    }
  }

  /** Reads the header only, and holds it against the pixel budget: nothing has been decoded yet. */
  private Header header(Arena arena, MemorySegment data, ImageFormat format) {
    MemorySegment image =
        calls.open.apply(
            data,
            data.byteSize(),
            arena.allocateFrom(""),
            arena.allocateFrom("access"),
            Vips.VIPS_ACCESS_SEQUENTIAL(),
            NULL);
    if (image.address() == 0) {
      throw broken("header");
    }
    try {
      int width = Vips.vips_image_get_width(image);
      int height = Vips.vips_image_get_height(image);
      if ((long) width * height > limits.originalPixelsMax()) {
        throw EdgeException.tooLarge(
            "The original has "
                + width
                + " x "
                + height
                + " px, more than "
                + limits.originalPixelsMax()
                + " in all.");
      }
      if (format == ImageFormat.AVIF && !string(arena, image, "heif-compression").equals("av1")) {
        throw EdgeException.wrongFormat();
      }
      boolean turned = integer(arena, image, "orientation") >= 5;
      boolean alpha = Vips.vips_image_hasalpha(image) != 0;
      return turned ? new Header(height, width, alpha) : new Header(width, height, alpha);
    } finally {
      Vips.g_object_unref(image);
    }
  }

  private static void check(Geometry geometry, ImageFormat format) {
    boolean narrow = format == ImageFormat.WEBP || format == ImageFormat.AVIF;
    if (narrow && Math.max(geometry.width(), geometry.height()) > WEBP_SIDE_PX_MAX) {
      throw EdgeException.tooLarge(
          format.extension()
              + " takes "
              + WEBP_SIDE_PX_MAX
              + " px a side at most; ask for a smaller one, or for jpeg.");
    }
  }

  /**
   * A lazy image; the caller drops its reference. vips_thumbnail turns it upright and shrinks while
   * decoding where it can.
   */
  private MemorySegment resized(Arena arena, MemorySegment data, Geometry geometry, Header header) {
    MemorySegment out = arena.allocate(C_POINTER);
    int code =
        calls.thumbnail.apply(
            data,
            data.byteSize(),
            out,
            geometry.scaledWidth(),
            arena.allocateFrom("height"),
            geometry.scaledHeight(),
            arena.allocateFrom("size"),
            Vips.VIPS_SIZE_FORCE(),
            arena.allocateFrom("option_string"),
            arena.allocateFrom("[fail_on=error]"),
            NULL);
    if (code != 0) {
      throw broken("thumbnail");
    }
    MemorySegment scaled = out.get(C_POINTER, 0);
    if (!geometry.cuts() && !geometry.fillsUp()) {
      return scaled;
    }
    try {
      int rc =
          geometry.cuts()
              ? cut(scaled, out, geometry)
              : fillUp(arena, scaled, out, geometry, header);
      if (rc != 0) {
        throw broken("box");
      }
      return out.get(C_POINTER, 0);
    } finally {
      Vips.g_object_unref(scaled);
    }
  }

  private int cut(MemorySegment scaled, MemorySegment out, Geometry geometry) {
    return calls.extract.apply(
        scaled, out, geometry.left(), geometry.top(), geometry.width(), geometry.height(), NULL);
  }

  private int fillUp(
      Arena arena, MemorySegment scaled, MemorySegment out, Geometry geometry, Header header) {
    int extend = header.alpha ? Vips.VIPS_EXTEND_BLACK() : Vips.VIPS_EXTEND_WHITE();
    return calls.embed.apply(
        scaled,
        out,
        geometry.left(),
        geometry.top(),
        geometry.width(),
        geometry.height(),
        arena.allocateFrom("extend"),
        extend,
        NULL);
  }

  private byte[] encode(Arena arena, MemorySegment image, VariantSpec spec) {
    MemorySegment bytes = arena.allocate(C_POINTER);
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    if (calls.write.apply(image, arena.allocateFrom(saver(spec)), bytes, size, NULL) != 0) {
      throw broken("pixels");
    }
    MemorySegment encoded = bytes.get(C_POINTER, 0);
    try {
      return encoded.reinterpret(size.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
    } finally {
      Vips.g_free(encoded);
    }
  }

  /**
   * The saver with its options, in libvips' notation. Transparent pixels become white where a
   * format has no transparency.
   */
  private String saver(VariantSpec spec) {
    String keep = ",keep=" + (encoder.keepMetadata() ? "all" : "none");
    return switch (spec.format()) {
      case JPEG -> ".jpg[Q=" + spec.quality() + ",optimize_coding,background=255" + keep + "]";
      case WEBP -> ".webp[Q=" + spec.quality() + keep + "]";
      case AVIF ->
          ".avif[Q="
              + spec.quality()
              + ",effort="
              + encoder.avifEffort()
              + ",bitdepth=8"
              + keep
              + "]";
      case PNG -> ".png[compression=6" + keep + "]";
    };
  }

  private static String string(Arena arena, MemorySegment image, String name) {
    MemorySegment key = arena.allocateFrom(name);
    MemorySegment out = arena.allocate(C_POINTER);
    boolean there =
        Vips.vips_image_get_typeof(image, key) != 0
            && Vips.vips_image_get_string(image, key, out) == 0;
    return there ? out.get(C_POINTER, 0).getString(0, StandardCharsets.UTF_8) : "";
  }

  private static int integer(Arena arena, MemorySegment image, String name) {
    MemorySegment key = arena.allocateFrom(name);
    MemorySegment out = arena.allocate(C_INT);
    boolean there =
        Vips.vips_image_get_typeof(image, key) != 0
            && Vips.vips_image_get_int(image, key, out) == 0;
    return there ? out.get(C_INT, 0) : 0;
  }

  private static EdgeException broken(String stage) {
    LOG.info("an original could not be decoded ({}): {}", stage, VipsErrors.take());
    return EdgeException.corrupt();
  }
}
