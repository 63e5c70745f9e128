package dev.tintype.edge.vips;

import dev.tintype.edge.bindings.vips.Vips;
import java.lang.foreign.MemorySegment;

/**
 * Stops an encode from another thread. libvips looks at the flag whenever it prepares pixels of the
 * image, so what stops is the decoding and resizing; an encoder that has all its pixels runs to its
 * end.
 */
public final class KillSwitch {
  private MemorySegment image = MemorySegment.NULL;
  private boolean fired;

  /**
   * Stops the encode, now or as soon as it starts. Safe at any time, from any thread, any number of
   * times.
   */
  public synchronized void fire() {
    fired = true;
    if (image.address() != 0) {
      Vips.vips_image_set_kill(image, 1);
    }
  }

  /** Whether somebody wanted the encode to stop. */
  public synchronized boolean fired() {
    return fired;
  }

  /** From here until {@link #detach} the image is alive. */
  synchronized void attach(MemorySegment running) {
    image = running;
    if (fired) {
      Vips.vips_image_set_kill(image, 1);
    }
  }

  synchronized void detach() {
    image = MemorySegment.NULL;
  }
}
