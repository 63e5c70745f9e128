package dev.tintype.edge.variant;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what was encoded into the caches, after it was sent: neither the client waits for the disk
 * nor the next encode. The bytes keep their room until then; where there is none, or too much waits
 * already, the encoder's own thread does it, which holds the encodes up as it must.
 */
final class Keeping {
  private static final Logger LOG = LoggerFactory.getLogger(Keeping.class);

  private final VariantCaches caches;
  private final Executor io;
  private final ByteBudget budget;

  /**
   * Into these caches.
   *
   * @param io threads for this machine's disk; rejects what is too much
   */
  Keeping(VariantCaches caches, Executor io, ByteBudget budget) {
    this.caches = caches;
    this.io = io;
    this.budget = budget;
  }

  /**
   * Keeps a variant, now or soon.
   *
   * @param then runs when it is kept, or cannot be
   */
  void keep(VariantKey key, byte[] bytes, Runnable then) {
    ByteBudget.Held held = budget.open();
    if (!held.has(bytes.length) || !later(() -> store(key, bytes, held, then))) {
      store(key, bytes, held, then);
    }
  }

  private boolean later(Runnable task) {
    try {
      io.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  private void store(VariantKey key, byte[] bytes, ByteBudget.Held held, Runnable then) {
    try (held) {
      caches.store(key, bytes);
    } catch (RuntimeException e) {
      LOG.error("a variant could not be kept", e);
    } finally {
      then.run();
    }
  }
}
