package dev.tintype.edge.variant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.tintype.edge.error.EdgeException;
import java.time.Duration;

/**
 * Originals that were purged: answered 410, and nothing of them is kept, whatever was in the making
 * when the purge came. After a day, and for the oldest where there are too many, what the store has
 * of originals decides again.
 */
final class Purged {
  static final Duration REMEMBERED_FOR = Duration.ofDays(1);

  /** About 10 MB. */
  static final int MAX = 100_000;

  private final Cache<String, Boolean> digests;

  Purged(Ticker ticker) {
    digests =
        Caffeine.newBuilder()
            .maximumSize(MAX)
            .expireAfterWrite(REMEMBERED_FOR)
            .ticker(ticker)
            .build();
  }

  void add(String sha256) {
    digests.put(sha256, true);
  }

  boolean contains(String sha256) {
    return digests.getIfPresent(sha256) != null;
  }

  /**
   * Refuses what was purged.
   *
   * @throws EdgeException edge.purged
   */
  void check(String sha256) {
    if (contains(sha256)) {
      throw EdgeException.purged();
    }
  }
}
