package dev.tintype.edge.variant;

import dev.tintype.edge.SharedVariants;
import dev.tintype.edge.error.EdgeException;
import java.io.IOException;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The store that edges share, held at a distance: a read has its deadline, a store that failed is
 * left alone for a while, and whatever goes wrong is a miss. So a store that is away costs one
 * deadline in ten seconds, and otherwise the encodes that it would have spared.
 */
final class SharedTier {
  /** How long a store that failed is not asked again. */
  static final long PAUSE_MS = 10_000;

  private static final Logger LOG = LoggerFactory.getLogger(SharedTier.class);

  private final SharedVariants shared;
  private final ExecutorService pool;
  private final long deadlineMs;
  private final Clock clock;
  private final AtomicLong pausedUntilMs = new AtomicLong(Long.MIN_VALUE);

  /**
   * @param pool bounded; what it refuses is a miss
   */
  SharedTier(SharedVariants shared, ExecutorService pool, long deadlineMs, Clock clock) {
    this.shared = shared;
    this.pool = pool;
    this.deadlineMs = deadlineMs;
    this.clock = clock;
  }

  /** Blocks for the deadline at most. */
  Optional<byte[]> find(VariantKey key) {
    if (idle()) {
      return Optional.empty();
    }
    Future<Optional<byte[]>> reading;
    try {
      reading = pool.submit(() -> shared.get(key.sha256(), key.id()));
    } catch (RejectedExecutionException e) {
      return Optional.empty();
    }
    try {
      return reading.get(deadlineMs, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      reading.cancel(true);
      failed("did not answer within " + deadlineMs + " ms");
    } catch (ExecutionException e) {
      failed(e.getCause().toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      reading.cancel(true);
    }
    return Optional.empty();
  }

  /** Gives a variant to the other edges, later. */
  void put(VariantKey key, byte[] bytes, Purged purged) {
    later(
        () -> {
          if (!purged.contains(key.sha256())) {
            shared.put(key.sha256(), key.id(), key.spec().format(), bytes);
          }
          if (purged.contains(key.sha256())) {
            shared.forget(key.sha256());
          }
        });
  }

  /** Drops the variants of an original that is gone, where that can be done. */
  void forgetLater(String sha256) {
    later(() -> shared.forget(sha256));
  }

  private interface Call {
    void run() throws IOException;
  }

  private void later(Call call) {
    if (idle()) {
      return;
    }
    try {
      pool.execute(
          () -> {
            try {
              call.run();
            } catch (IOException | RuntimeException e) {
              failed(e.toString());
            }
          });
    } catch (RejectedExecutionException e) {
      // The store is slower than the encoders: what is left out now is encoded again elsewhere.
    }
  }

  /**
   * Drops the variants of an original, now.
   *
   * @throws EdgeException edge.store when the store did not do it: the purge must be repeated
   */
  void forget(String sha256) {
    try {
      shared.forget(sha256);
    } catch (IOException | RuntimeException e) {
      failed(e.toString());
      throw EdgeException.storeFailed();
    }
  }

  private boolean idle() {
    return shared == SharedVariants.NONE || clock.millis() < pausedUntilMs.get();
  }

  private void failed(String why) {
    long now = clock.millis();
    long before = pausedUntilMs.getAndSet(now + PAUSE_MS);
    if (before <= now) {
      LOG.warn("the shared store of variants is left alone for {} s: {}", PAUSE_MS / 1000, why);
    }
  }
}
