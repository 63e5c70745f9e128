package dev.tintype.queue.blob;

import dev.tintype.queue.QueueException;
import java.util.regex.Pattern;

/** What an installation's mark on a blob store may look like. */
final class BlobOwner {
  private static final Pattern SHAPE =
      Pattern.compile("[A-Za-z0-9-]{1," + BlobStore.OWNER_CHARS_MAX + "}");

  private BlobOwner() {}

  static void check(String installation) {
    if (!SHAPE.matcher(installation).matches()) {
      throw new QueueException.Invalid(
          "blob.owner", "An installation's mark has 1 to 64 letters, digits and hyphens.");
    }
  }
}
