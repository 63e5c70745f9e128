package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_INT;
import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;

import dev.tintype.edge.bindings.vips.Vips;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The metadata fields of a libvips image. */
final class Fields {
  private static final int POINTER_BYTES = 8;

  private Fields() {}

  /** Whether there is such a field. */
  static boolean has(Arena arena, MemorySegment image, String name) {
    return Vips.vips_image_get_typeof(image, arena.allocateFrom(name)) != 0;
  }

  /** A text; empty when absent. */
  static String text(Arena arena, MemorySegment image, String name) {
    MemorySegment out = arena.allocate(C_POINTER);
    boolean there =
        has(arena, image, name)
            && Vips.vips_image_get_string(image, arena.allocateFrom(name), out) == 0;
    return there ? out.get(C_POINTER, 0).getString(0, StandardCharsets.UTF_8) : "";
  }

  /** A number; 0 when absent. */
  static int number(Arena arena, MemorySegment image, String name) {
    MemorySegment out = arena.allocate(C_INT);
    boolean there =
        has(arena, image, name)
            && Vips.vips_image_get_int(image, arena.allocateFrom(name), out) == 0;
    return there ? out.get(C_INT, 0) : 0;
  }

  /** A blob, in memory of the image; empty when absent. */
  static Optional<MemorySegment> blob(Arena arena, MemorySegment image, String name) {
    MemorySegment out = arena.allocate(C_POINTER);
    MemorySegment length = arena.allocate(ValueLayout.JAVA_LONG);
    boolean there =
        has(arena, image, name)
            && Vips.vips_image_get_blob(image, arena.allocateFrom(name), out, length) == 0;
    return there
        ? Optional.of(out.get(C_POINTER, 0).reinterpret(length.get(ValueLayout.JAVA_LONG, 0)))
        : Optional.empty();
  }

  /**
   * The first field whose name begins and ends so; empty when there is none.
   *
   * @param start in ASCII; the names of other fields, some thirty in each picture, are not decoded
   */
  static Optional<String> named(MemorySegment image, String start, String ending) {
    MemorySegment names = Vips.vips_image_get_fields(image);
    if (names.address() == 0) {
      return Optional.empty();
    }
    Optional<String> found = Optional.empty();
    MemorySegment all = names.reinterpret(Long.MAX_VALUE);
    for (int i = 0; ; i++) {
      MemorySegment name = all.get(C_POINTER, (long) i * POINTER_BYTES);
      if (name.address() == 0) {
        break;
      }
      if (found.isEmpty() && begins(name, start)) {
        found =
            Optional.of(name.getString(0, StandardCharsets.UTF_8))
                .filter(text -> text.endsWith(ending));
      }
      Vips.g_free(name);
    }
    Vips.g_free(names);
    return found;
  }

  /**
   * Looks at no byte behind the first that differs, which the NUL at the end does at the latest.
   */
  private static boolean begins(MemorySegment name, String start) {
    for (int i = 0; i < start.length(); i++) {
      if (name.get(ValueLayout.JAVA_BYTE, i) != start.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** Sets a blob; the image must belong to the caller alone. */
  static void set(Arena arena, MemorySegment image, String name, byte[] bytes) {
    MemorySegment data = arena.allocate(bytes.length);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, data, 0, bytes.length);
    Vips.vips_image_set_blob_copy(image, arena.allocateFrom(name), data, bytes.length);
  }

  /** Sets a text; the image must belong to the caller alone. */
  static void set(Arena arena, MemorySegment image, String name, String text) {
    Vips.vips_image_set_string(image, arena.allocateFrom(name), arena.allocateFrom(text));
  }
}
