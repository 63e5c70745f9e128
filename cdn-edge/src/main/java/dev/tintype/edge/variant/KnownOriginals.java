package dev.tintype.edge.variant;

import dev.tintype.edge.OriginalImage;
import dev.tintype.edge.Originals;
import dev.tintype.edge.error.EdgeException;
import java.io.IOException;
import java.util.Optional;
import java.util.function.LongConsumer;

/** Originals, with what was found out about them remembered. Blocks. */
final class KnownOriginals {
  private final Originals originals;
  private final Refusals refusals;
  private final VariantCaches caches;

  KnownOriginals(Originals originals, Refusals refusals, VariantCaches caches) {
    this.originals = originals;
    this.refusals = refusals;
    this.caches = caches;
  }

  /** False also where it was missing a moment ago. */
  boolean there(String sha256) throws IOException {
    refusals.checkThere(sha256);
    boolean there = originals.exists(sha256);
    if (!there) {
      refusals.missing(sha256);
    }
    return there;
  }

  /**
   * Finds an original.
   *
   * @param admission told how many bytes come into memory
   * @throws EdgeException edge.original.missing
   */
  OriginalImage open(String sha256, LongConsumer admission) throws IOException {
    refusals.checkThere(sha256);
    Optional<OriginalImage> found = originals.open(sha256, admission);
    if (found.isEmpty()) {
      refusals.missing(sha256);
      throw EdgeException.missing(sha256);
    }
    caches.seen(sha256);
    return found.get();
  }
}
