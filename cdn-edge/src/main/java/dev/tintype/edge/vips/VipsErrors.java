package dev.tintype.edge.vips;

import dev.tintype.edge.bindings.vips.Vips;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * libvips' error text. It is one buffer for the whole process, so under load a text may belong to a
 * neighbour: log, never show.
 */
final class VipsErrors {
  private static final int TEXT_CHARS_MAX = 300;

  private VipsErrors() {}

  /** The text so far, on one line; clears it. */
  static synchronized String take() {
    MemorySegment copy = Vips.vips_error_buffer_copy();
    Vips.vips_error_clear();
    String text = copy.getString(0, StandardCharsets.UTF_8);
    Vips.g_free(copy);
    String line = text.strip().replaceAll("[\\p{Cntrl}]+", "; ");
    return line.length() > TEXT_CHARS_MAX ? line.substring(0, TEXT_CHARS_MAX) : line;
  }
}
