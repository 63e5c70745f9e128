package dev.tintype.edge.variant;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what was encoded into the caches, after it was sent: neither the client waits for the disk
 * nor the next encode. A few may wait; where there are more, the encoder's own thread does it, so
 * that a disk that is slower than the encoders holds them up, and no lookups.
 */
final class Keeping {
  private static final Logger LOG = LoggerFactory.getLogger(Keeping.class);

  private final BiConsumer<VariantKey, byte[]> caches;
  private final Executor threads;

  /**
   * Keeps nothing yet.
   *
   * @param caches take a variant; may block
   * @param threads for this alone; rejects what is too much
   */
  Keeping(BiConsumer<VariantKey, byte[]> caches, Executor threads) {
    this.caches = caches;
    this.threads = threads;
  }

  /**
   * Keeps a variant, now or soon.
   *
   * @param then runs when it is kept, or cannot be
   */
  void keep(VariantKey key, byte[] bytes, Runnable then) {
    try {
      threads.execute(() -> store(key, bytes, then));
    } catch (RejectedExecutionException e) {
      store(key, bytes, then);
    }
  }

  private void store(VariantKey key, byte[] bytes, Runnable then) {
    try {
      caches.accept(key, bytes);
    } catch (RuntimeException e) {
      LOG.error("a variant could not be kept", e);
    } finally {
      then.run();
    }
  }
}
