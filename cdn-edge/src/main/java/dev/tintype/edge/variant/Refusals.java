package dev.tintype.edge.variant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.tintype.edge.error.EdgeException;
import java.time.Duration;

/**
 * What cannot be answered with a picture, remembered for a moment: who asks again costs nothing.
 */
final class Refusals {
  /** A missing original may be stored at any moment; caches in front are told the same time. */
  static final Duration MISSING_FOR = Duration.ofSeconds(5);

  /** A damaged one stays so, but its store may be mended. */
  static final Duration BROKEN_FOR = Duration.ofSeconds(30);

  private static final int MAX = 10_000;

  private final Cache<String, Boolean> missing;
  private final Cache<String, EdgeException> broken;

  Refusals(Ticker ticker) {
    missing = remembering(MISSING_FOR, ticker);
    broken = remembering(BROKEN_FOR, ticker);
  }

  private static <V> Cache<String, V> remembering(Duration time, Ticker ticker) {
    return Caffeine.newBuilder().maximumSize(MAX).expireAfterWrite(time).ticker(ticker).build();
  }

  /** There is no such original. */
  void missing(String sha256) {
    missing.put(sha256, true);
  }

  /**
   * A variant cannot be made. Where that is the original's fault, none of its variants can: the
   * others are not tried.
   */
  void broken(VariantKey key, EdgeException.Unsupported why) {
    broken.put(why.ofOriginal() ? key.sha256() : key.id(), why);
  }

  /**
   * Refuses an original that is known to be missing.
   *
   * @throws EdgeException edge.original.missing
   */
  void checkThere(String sha256) {
    if (missing.getIfPresent(sha256) != null) {
      throw EdgeException.missing(sha256);
    }
  }

  /**
   * Refuses a variant that is known to fail.
   *
   * @throws EdgeException as it was refused before
   */
  void check(VariantKey key) {
    checkThere(key.sha256());
    for (String name : new String[] {key.sha256(), key.id()}) {
      EdgeException known = broken.getIfPresent(name);
      if (known != null) {
        throw known;
      }
    }
  }

  void forget(String sha256) {
    missing.invalidate(sha256);
    broken.invalidate(sha256);
  }
}
