package dev.tintype.edge.vips;

import static dev.tintype.edge.bindings.vips.Vips.C_POINTER;

import dev.tintype.edge.bindings.vips.Vips;
import dev.tintype.edge.error.EdgeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One picture on its way through lazy operations. Holds one reference, that of the last image; each
 * operation keeps what it reads from alive itself. Every image that a step gives can be stopped by
 * the kill switch.
 */
final class ImageChain implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageChain.class);

  /** How libvips' error texts name the savers of the four formats. */
  private static final Pattern ENCODER =
      Pattern.compile("(png|jpeg|webp|heif)save|vips2(png|jpeg|webp)|ForeignSave");

  private final MemorySegment out;
  private final KillSwitch kill;
  private MemorySegment image = MemorySegment.NULL;

  ImageChain(Arena arena, KillSwitch kill) {
    this.out = arena.allocate(C_POINTER);
    this.kill = kill;
  }

  /** One operation: 0 where it went well and wrote its image. */
  interface Step {
    int run(MemorySegment in, MemorySegment out);
  }

  /** The last image; the chain keeps its reference. */
  MemorySegment image() {
    return image;
  }

  int width() {
    return Vips.vips_image_get_width(image);
  }

  int height() {
    return Vips.vips_image_get_height(image);
  }

  boolean alpha() {
    return Vips.vips_image_hasalpha(image) != 0;
  }

  /**
   * Appends an operation.
   *
   * @param stage named in the log where it fails
   * @throws EdgeException edge.original.corrupt
   */
  void then(String stage, Step step) {
    out.set(C_POINTER, 0, MemorySegment.NULL);
    if (step.run(image, out) != 0) {
      throw broken(stage);
    }
    take(out.get(C_POINTER, 0));
  }

  /** Goes on with another image, whose reference becomes the chain's. */
  void take(MemorySegment next) {
    MemorySegment before = image;
    image = next;
    kill.attach(next);
    if (before.address() != 0) {
      Vips.g_object_unref(before);
    }
  }

  /**
   * What to tell of a step that failed: the original's fault, unless an encoder's name is there.
   */
  static EdgeException broken(String stage) {
    String text = VipsErrors.take();
    LOG.info("a variant could not be made ({}): {}", stage, text);
    return ENCODER.matcher(text).find() ? EdgeException.cannotEncode() : EdgeException.corrupt();
  }

  @Override
  public void close() {
    kill.detach();
    if (image.address() != 0) {
      Vips.g_object_unref(image);
    }
  }
}
