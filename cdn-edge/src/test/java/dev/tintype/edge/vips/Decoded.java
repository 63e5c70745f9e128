package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;
import static java.lang.foreign.MemorySegment.NULL;

import dev.tintype.edge.bindings.vips.Vips;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * A variant, decoded back by libvips.
 *
 * @param pixels [height, width, bands], 8 bits a sample
 * @param xmp the XMP packet, or empty
 */
@SuppressWarnings("ArrayRecordComponent")
public record Decoded(int width, int height, int bands, byte[] pixels, String xmp) {

  public static Decoded of(byte[] bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(bytes.length);
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, data, 0, bytes.length);
      MemorySegment image =
          Vips.vips_image_new_from_buffer
              .makeInvoker(C_POINTER)
              .apply(data, data.byteSize(), arena.allocateFrom(""), NULL);
      if (image.address() == 0) {
        throw new AssertionError("a variant cannot be decoded: " + VipsErrors.take());
      }
      try {
        return of(arena, image);
      } finally {
        Vips.g_object_unref(image);
      }
    }
  }

  private static Decoded of(Arena arena, MemorySegment image) {
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    MemorySegment pixels = Vips.vips_image_write_to_memory(image, size);
    if (pixels.address() == 0) {
      throw new AssertionError("a variant's pixels cannot be decoded: " + VipsErrors.take());
    }
    byte[] samples =
        pixels.reinterpret(size.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
    Vips.g_free(pixels);
    MemorySegment name = arena.allocateFrom("xmp-data");
    String xmp = "";
    if (Vips.vips_image_get_typeof(image, name) != 0) {
      MemorySegment blob = arena.allocate(C_POINTER);
      Vips.vips_image_get_blob(image, name, blob, size);
      xmp =
          new String(
              blob.get(C_POINTER, 0)
                  .reinterpret(size.get(ValueLayout.JAVA_LONG, 0))
                  .toArray(ValueLayout.JAVA_BYTE),
              StandardCharsets.UTF_8);
    }
    return new Decoded(
        Vips.vips_image_get_width(image),
        Vips.vips_image_get_height(image),
        Vips.vips_image_get_bands(image),
        samples,
        xmp);
  }

  /** One sample, 0 to 255. */
  public int at(int x, int y, int band) {
    return pixels[(y * width + x) * bands + band] & 0xff;
  }
}
