package dev.tintype.edge.vips;

import java.util.Optional;

/**
 * libvips for tests: a test that needs it and cannot have it fails with the message that the
 * operator would see.
 */
public final class Loaded {
  private Loaded() {}

  public static VipsLibrary.Ready vips() {
    return switch (VipsLibrary.load(Optional.empty())) {
      case VipsLibrary.Ready ready -> ready;
      case VipsLibrary.Unavailable(String reason) -> throw new AssertionError(reason);
    };
  }
}
