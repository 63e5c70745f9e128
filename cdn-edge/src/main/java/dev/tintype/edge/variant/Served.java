package dev.tintype.edge.variant;

import io.vertx.core.buffer.Buffer;
import java.nio.file.Path;

/**
 * A picture that is ready to be sent.
 *
 * @param body its bytes
 * @param source where it was found
 * @param queueMs time from the request to the start of the encode, ms; 0 when nothing was encoded
 * @param encodeMs time of reading, decoding, resizing and encoding, ms; 0 when nothing was encoded
 */
public record Served(Body body, Source source, double queueMs, double encodeMs) {

  /** The bytes of a picture. */
  public sealed interface Body {
    /** Size in bytes. */
    long size();
  }

  /**
   * In memory; shared between responses, so it is never written to.
   *
   * @param buffer the bytes
   */
  public record InMemory(Buffer buffer) implements Body {
    @Override
    public long size() {
      return buffer.length();
    }
  }

  /**
   * In a file, which may be evicted before it is sent.
   *
   * @param path the file
   * @param size its size in bytes
   */
  public record InFile(Path path, long size) implements Body {}

  /** Where a picture was found. */
  public enum Source {
    /** In the memory cache. */
    MEMORY,
    /** In the disk cache. */
    DISK,
    /** In the store that edges share. */
    STORE,
    /** Nowhere: it was encoded for this request. */
    ENCODED,
    /** The original itself. */
    ORIGINAL
  }

  static Served of(Body body, Source source) {
    return new Served(body, source, 0, 0);
  }
}
