package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import dev.tintype.edge.url.Metadata;
import dev.tintype.edge.url.VariantSpec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Makes one variant of one original. Thread-safe; the calling thread does the work, so the caller
 * bounds how many run at once. All native memory of a call belongs to that call; the buffer of its
 * original goes on to the next.
 */
public final class Transcoder {
  /**
   * Raised when the same original and spec would give other bytes than before, so that validators
   * and caches change too.
   */
  private static final int REVISION = 3;

  /** Largest side of a WebP (14 bits, less one); AVIF of the usual level ends near it. */
  private static final int WEBP_SIDE_PX_MAX = 16_383;

  private final EdgeConfig.Encoder encoder;
  private final EdgeConfig.Limits limits;
  private final String version;
  private final VipsCalls calls;
  private final Optional<Mark> mark;
  private final Scratch scratch;

  /** What the header says. */
  private record Header(int width, int height) {}

  /**
   * For a library that is ready, without a watermark.
   *
   * @param library what {@link VipsLibrary#load} said
   */
  public Transcoder(
      VipsLibrary.Ready library, EdgeConfig.Encoder encoder, EdgeConfig.Limits limits) {
    this(library, encoder, limits, EdgeConfig.Watermark.none());
  }

  /**
   * For a library that is ready.
   *
   * @param library what {@link VipsLibrary#load} said
   * @throws EdgeException edge.config when the watermark cannot be made
   */
  public Transcoder(
      VipsLibrary.Ready library,
      EdgeConfig.Encoder encoder,
      EdgeConfig.Limits limits,
      EdgeConfig.Watermark watermark) {
    this.encoder = encoder;
    this.limits = limits;
    calls = new VipsCalls();
    scratch = new Scratch(encoder.threads());
    mark = Mark.of(calls, watermark);
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
   * {@link #version()}, with the watermark where the spec asks for it.
   *
   * @throws EdgeException edge.ops.invalid when it asks for one and none is configured
   */
  public String version(VariantSpec spec) {
    return spec.look().watermark() ? version + "-m" + required().digest() : version;
  }

  private Mark required() {
    return mark.orElseThrow(
        () ->
            EdgeException.badOperation(
                "This edge has no watermark; set edge.watermark.text or edge.watermark.file."));
  }

  /** Asked once it is known how much work a variant is. */
  @FunctionalInterface
  public interface Gate {
    /**
     * Whether to go on.
     *
     * @param pixelsRead of the original
     * @param pixelsWritten of the variant
     */
    boolean admits(long pixelsRead, long pixelsWritten);
  }

  /**
   * Decodes, resizes, encodes, whatever it takes.
   *
   * @param kill lets another thread stop it
   * @return the variant's bytes
   * @throws EdgeException edge.original.format, edge.original.too_large, edge.original.corrupt
   * @throws IOException when the original cannot be read
   */
  public byte[] transcode(OriginalImage original, VariantSpec spec, KillSwitch kill)
      throws IOException {
    return transcode(original, spec, kill, (read, written) -> true, bytes -> {}).orElseThrow();
  }

  /**
   * Decodes, resizes, encodes.
   *
   * @param kill lets another thread stop it
   * @param gate asked after the header was read, before anything is decoded
   * @param early given the variant's bytes as soon as they are there, before what the encode took
   *     is given back: whoever waits for them need not wait for that
   * @return the same bytes, or empty where the gate did not let it through
   * @throws EdgeException edge.original.format, edge.original.too_large, edge.original.corrupt
   * @throws IOException when the original cannot be read
   */
  public Optional<byte[]> transcode(
      OriginalImage original, VariantSpec spec, KillSwitch kill, Gate gate, Consumer<byte[]> early)
      throws IOException {
    long size = original.size();
    if (size > limits.originalBytesMax()) {
      throw EdgeException.tooLarge(
          "The original has more than " + limits.originalBytesMax() + " bytes.");
    }
    try (Arena arena = Arena.ofConfined();
        ImageChain chain = new ImageChain(arena, kill)) {
      MemorySegment data = scratch.take(size, arena);
      original.read(data);
      ImageFormat format = format(data);
      chain.take(open(data));
      Header header = header(arena, chain.image(), format);
      Geometry geometry = Geometry.of(header.width, header.height, spec);
      check(geometry, spec.format());
      long read = (long) header.width * header.height;
      if (!gate.admits(read, (long) geometry.width() * geometry.height())) {
        return Optional.empty();
      }
      Metadata metadata = metadata(spec);
      Scaling.toSize(calls, arena, chain, data, format, geometry, metadata);
      Shaping.toBox(calls, arena, chain, geometry, spec);
      Shaping.look(calls, arena, chain, spec.look());
      if (spec.look().watermark()) {
        required().over(calls, arena, chain);
      }
      chain.then("metadata", calls::copy);
      Provenance.write(arena, chain.image(), spec.format(), metadata);
      byte[] bytes = encode(arena, chain.image(), spec, metadata);
      early.accept(bytes);
      return Optional.of(bytes);
    }
  }

  private static ImageFormat format(MemorySegment data) {
    long bytes = Math.min(data.byteSize(), ImageSniffer.HEAD_BYTES);
    byte[] head = data.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
    return ImageSniffer.format(head).orElseThrow(EdgeException::wrongFormat);
  }

  private Metadata metadata(VariantSpec spec) {
    return spec.coding().metadata().orElse(encoder.keepMetadata() ? Metadata.KEEP : Metadata.STRIP);
  }

  /** Reads the header only: nothing is decoded before somebody asks for pixels. */
  private MemorySegment open(MemorySegment data) {
    MemorySegment image = calls.open(data);
    if (image.address() == 0) {
      throw ImageChain.broken("header");
    }
    return image;
  }

  /** Holds what the header says against the pixel budget. */
  private Header header(Arena arena, MemorySegment image, ImageFormat format) {
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
    if (format == ImageFormat.AVIF
        && !Fields.text(arena, image, "heif-compression").equals("av1")) {
      throw EdgeException.wrongFormat();
    }
    boolean turned = Fields.number(arena, image, "orientation") >= 5;
    return turned ? new Header(height, width) : new Header(width, height);
  }

  private static void check(Geometry geometry, ImageFormat format) {
    boolean narrow = format == ImageFormat.WEBP || format == ImageFormat.AVIF;
    if (narrow && Math.max(geometry.width(), geometry.height()) > WEBP_SIDE_PX_MAX) {
      throw EdgeException.variantTooLarge(
          format.extension()
              + " takes "
              + WEBP_SIDE_PX_MAX
              + " px a side at most; ask for a smaller one, or for jpeg.");
    }
  }

  private byte[] encode(Arena arena, MemorySegment image, VariantSpec spec, Metadata metadata) {
    MemorySegment bytes = arena.allocate(C_POINTER);
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    String saver = Saver.options(spec, encoder.avifEffort(), metadata);
    if (calls.write(image, arena.allocateFrom(saver), bytes, size) != 0) {
      throw ImageChain.broken("pixels");
    }
    MemorySegment encoded = bytes.get(C_POINTER, 0);
    try {
      return encoded.reinterpret(size.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
    } finally {
      Vips.g_free(encoded);
    }
  }
}
