package dev.tintype.queue.ephemera;

import dev.tintype.queue.QueueException;
import java.time.Duration;

/** The limits of the port, the same for every implementation. */
final class Checks {
  private Checks() {}

  static void key(String key) {
    boolean sound =
        !key.isEmpty()
            && key.length() <= Ephemera.KEY_CHARS_MAX
            && key.chars().allMatch(c -> c > ' ' && c < 0x7f);
    if (!sound) {
      throw new QueueException.Invalid(
          "ephemera.key",
          "A key has 1 to " + Ephemera.KEY_CHARS_MAX + " visible ASCII characters.");
    }
  }

  static void folder(String folder) {
    key(folder);
    if (!folder.endsWith("/")) {
      throw new QueueException.Invalid("ephemera.key", "A folder ends with '/'.");
    }
  }

  /** The key up to and including its last '/'; empty without one. */
  static String folderOf(String key) {
    return key.substring(0, key.lastIndexOf('/') + 1);
  }

  static void value(byte[] value) {
    bytes("A value", value, Ephemera.VALUE_BYTES_MAX);
  }

  static void message(byte[] message) {
    bytes("A message", message, Ephemera.MESSAGE_BYTES_MAX);
  }

  private static void bytes(String what, byte[] bytes, int max) {
    if (bytes.length > max) {
      throw new QueueException.Invalid(
          "ephemera.value", what + " has at most " + max + " bytes; this has " + bytes.length);
    }
  }

  static void timeToLive(Duration time) {
    if (time.toMillis() < 1 || time.compareTo(Ephemera.TTL_MAX) > 0) {
      throw new QueueException.Invalid(
          "ephemera.ttl", "A time to live is from 1 ms to " + Ephemera.TTL_MAX.toDays() + " days.");
    }
  }

  static void cost(long cost) {
    if (cost < 1) {
      throw new QueueException.Invalid("ephemera.cost", "A cost is at least 1.");
    }
  }

  static QueueException unavailable(String message, Throwable cause) {
    return new QueueException.Unavailable("ephemera.unavailable", message, cause);
  }
}
