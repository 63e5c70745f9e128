package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.error.EdgeException;
import dev.tintype.edge.url.ImageFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The watermark, drawn once at start: [height, width, 4] of 8 bits, RGB and alpha, not
 * premultiplied, its opacity in the alpha. It stands in the lower right corner of a variant, and
 * takes a part of its width, or less where it would be too tall.
 */
final class Mark {
  private static final int FILE_BYTES_MAX = 4 * 1024 * 1024;
  private static final int SIDE_PX_MAX = 2048;

  /** On a smaller variant nobody could read it. */
  private static final int VARIANT_PX_MIN = 64;

  /** Distance from both edges, in hundredths of the variant's width. */
  private static final int MARGIN_PERCENT = 3;

  /** On a flat variant the distance is at most this part of the height, so that a mark has room. */
  private static final int MARGIN_OF_HEIGHT = 8;

  /** Raised when the same mark is laid otherwise than before, so that validators change too. */
  private static final int REVISION = 2;

  /** Large enough that no variant enlarges it, at the largest share of the width. */
  private static final String FONT = "sans bold 96";

  private final int width;
  private final int height;
  private final byte[] rgba;
  private final int widthPercent;
  private final String digest;

  private Mark(int width, int height, byte[] rgba, EdgeConfig.Watermark config) {
    this.width = width;
    this.height = height;
    this.rgba = fade(rgba, config.opacityPercent());
    this.widthPercent = config.widthPercent();
    this.digest = digest(this.rgba, width, widthPercent);
  }

  /**
   * The configured mark; empty where none is configured.
   *
   * @throws EdgeException edge.config when the file cannot be used or no font is there
   */
  static Optional<Mark> of(VipsCalls calls, EdgeConfig.Watermark config) {
    try (Arena arena = Arena.ofConfined()) {
      if (config.file().isPresent()) {
        return Optional.of(picture(calls, arena, config.file().get(), config));
      }
      return config.text().map(text -> letters(calls, arena, text, config));
    }
  }

  /** Names the mark in the version of the variants that carry it. */
  String digest() {
    return digest;
  }

  private static Mark picture(
      VipsCalls calls, Arena arena, Path file, EdgeConfig.Watermark config) {
    byte[] bytes = read(file);
    MemorySegment data = arena.allocate(bytes.length);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, data, 0, bytes.length);
    try (ImageChain chain = new ImageChain(arena, new KillSwitch())) {
      chain.take(required(calls.open(data)));
      if (Math.max(chain.width(), chain.height()) > SIDE_PX_MAX) {
        throw EdgeException.config(
            "edge.watermark.file has more than " + SIDE_PX_MAX + " px on a side.");
      }
      chain.then("mark", calls::toSrgb);
      chain.then("mark", calls::toBytes);
      byte[] pixels = pixels(arena, chain.image());
      return new Mark(
          chain.width(), chain.height(), chain.alpha() ? pixels : opaque(pixels), config);
    } catch (EdgeException.Unsupported e) {
      throw EdgeException.config("edge.watermark.file is no PNG that can be read.");
    }
  }

  private static byte[] read(Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw EdgeException.config(
            "edge.watermark.file has more than " + FILE_BYTES_MAX + " bytes.");
      }
      byte[] bytes = Files.readAllBytes(file);
      if (ImageSniffer.format(bytes).equals(Optional.of(ImageFormat.PNG))) {
        return bytes;
      }
      throw EdgeException.config("edge.watermark.file is no PNG.");
    } catch (IOException e) {
      throw EdgeException.config("edge.watermark.file cannot be read.");
    }
  }

  private static MemorySegment required(MemorySegment image) {
    if (image.address() == 0) {
      VipsErrors.take();
      throw EdgeException.config("edge.watermark.file is no PNG that can be read.");
    }
    return image;
  }

  /** White letters over a soft dark shadow: legible on every ground. */
  private static Mark letters(
      VipsCalls calls, Arena arena, String text, EdgeConfig.Watermark config) {
    try (ImageChain chain = new ImageChain(arena, new KillSwitch())) {
      MemorySegment out = arena.allocate(C_POINTER);
      int code = calls.text(out, arena.allocateFrom(escaped(text)), arena.allocateFrom(FONT));
      if (code != 0) {
        VipsErrors.take();
        throw noFont();
      }
      chain.take(out.get(C_POINTER, 0));
      int width = chain.width();
      int height = chain.height();
      byte[] coverage = pixels(arena, chain.image());
      if (width < 2 || height < 2 || blank(coverage)) {
        throw noFont();
      }
      return new Mark(
          width + 2 * MarkLetters.PAD,
          height + 2 * MarkLetters.PAD,
          MarkLetters.rgba(coverage, width, height),
          config);
    }
  }

  private static EdgeException noFont() {
    return EdgeException.config(
        "edge.watermark.text cannot be drawn: no font is installed. Install one (Debian, Ubuntu:"
            + " apt-get install fonts-dejavu-core), or set edge.watermark.file to a PNG.");
  }

  private static boolean blank(byte[] coverage) {
    for (byte each : coverage) {
      if (each != 0) {
        return false;
      }
    }
    return true;
  }

  /** vips_text reads Pango markup. */
  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static byte[] pixels(Arena arena, MemorySegment image) {
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    MemorySegment pixels = Vips.vips_image_write_to_memory(image, size);
    if (pixels.address() == 0) {
      throw ImageChain.broken("mark");
    }
    try {
      return pixels.reinterpret(size.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
    } finally {
      Vips.g_free(pixels);
    }
  }

  private static byte[] opaque(byte[] rgb) {
    byte[] rgba = new byte[rgb.length / 3 * 4];
    Arrays.fill(rgba, (byte) 0xff);
    for (int i = 0; i < rgb.length / 3; i++) {
      System.arraycopy(rgb, i * 3, rgba, i * 4, 3);
    }
    return rgba;
  }

  private static byte[] fade(byte[] rgba, int percent) {
    byte[] faded = rgba.clone();
    for (int i = 3; i < faded.length; i += 4) {
      faded[i] = (byte) ((faded[i] & 0xff) * percent / 100);
    }
    return faded;
  }

  private static String digest(byte[] rgba, int width, int widthPercent) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(
          (REVISION + "," + width + "," + widthPercent + ",").getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(digest.digest(rgba), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Lays the mark over the picture, and leaves its bands as they were. */
  void over(VipsCalls calls, Arena arena, ImageChain chain) {
    if (chain.width() < VARIANT_PX_MIN) {
      return;
    }
    int margin =
        Math.min(
            Math.ceilDiv(chain.width() * MARGIN_PERCENT, 100), chain.height() / MARGIN_OF_HEIGHT);
    int room = chain.height() - 2 * margin;
    int share = Math.min(width, chain.width() * widthPercent / 100);
    int wanted = Math.clamp((long) room * width / height, 1, share);
    int tall = Math.clamp(Math.round((double) height * wanted / width), 1, room);
    boolean alpha = chain.alpha();
    chain.then("mark", calls::toSrgb);
    int left = Math.max(0, chain.width() - wanted - margin);
    int top = chain.height() - tall - margin;
    MemorySegment mark = scaled(calls, arena, wanted, tall);
    try {
      chain.then("mark", (in, out) -> calls.over(in, mark, out, left, top));
    } finally {
      Vips.g_object_unref(mark);
    }
    if (!alpha) {
      chain.then("mark", calls::flatten);
    }
    chain.then("mark", calls::toBytes);
  }

  private MemorySegment scaled(VipsCalls calls, Arena arena, int wanted, int tall) {
    try (ImageChain chain = new ImageChain(arena, new KillSwitch())) {
      MemorySegment data = arena.allocate(rgba.length);
      MemorySegment.copy(MemorySegment.ofArray(rgba), 0, data, 0, rgba.length);
      MemorySegment drawn =
          Vips.vips_image_new_from_memory_copy(data, rgba.length, width, height, 4, 0);
      if (drawn.address() == 0) {
        throw ImageChain.broken("mark");
      }
      chain.take(drawn);
      chain.then("mark", calls::copyAsSrgb);
      chain.then("mark", (in, out) -> calls.scale(in, out, wanted, tall, false));
      return Vips.g_object_ref(chain.image());
    }
  }
}
