package dev.tintype.edge.variant;

import dev.tintype.edge.EdgeConfig;
import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.error.EdgeException;
import java.io.IOException;

/**
 * An original that waits for an encoder or is with one, and the room that it takes: its bytes where
 * they came from a store, a copy of them for libvips, and its pixels.
 *
 * @param image the original
 * @param compressed what it takes with its copy, bytes
 * @param held the room; grows with what the encode comes to need
 */
record Loaded(OriginalImage image, long compressed, ByteBudget.Held held) implements AutoCloseable {
  /** Red, green, blue and transparency. libvips often needs less, where it can work in strips. */
  private static final int BYTES_PER_PIXEL = 4;

  /**
   * With the room that was taken before it came into memory.
   *
   * @throws IOException where its file cannot be asked for its size
   */
  static Loaded of(OriginalImage image, EdgeConfig.Limits limits, ByteBudget.Held held)
      throws IOException {
    long compressed =
        switch (image) {
          case OriginalImage.InMemory(byte[] bytes) -> 2L * bytes.length;
          // A larger one is refused before it is read.
          case OriginalImage.InFile file -> Math.min(file.size(), limits.originalBytesMax());
        };
    return new Loaded(image, compressed, held);
  }

  /**
   * What an original from a store takes until it is encoded: its bytes twice.
   *
   * @throws EdgeException edge.original.too_large
   */
  static long bytesInMemory(long bytes, EdgeConfig.Limits limits) {
    if (bytes > limits.originalBytesMax()) {
      throw EdgeException.tooLarge(
          "The original has more than " + limits.originalBytesMax() + " bytes.");
    }
    return 2 * bytes;
  }

  /**
   * Takes room for the copy that libvips reads, where that is not yet taken.
   *
   * @throws EdgeException edge.memory
   */
  void admitCopy() {
    held.atLeast(compressed);
  }

  /**
   * Takes room for what is decoded and written.
   *
   * @param pixels of the original and of the variant
   * @throws EdgeException edge.memory
   */
  void admitPixels(long pixels) {
    held.atLeast(compressed + BYTES_PER_PIXEL * pixels);
  }

  @Override
  public void close() {
    held.close();
  }
}
