package dev.tintype.node;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.sweep.DerivedSweep;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Walks over the shared variants of an edge, a page at a time, and drops the old ones. */
final class VariantExpiry implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(VariantExpiry.class);

  /** A million variants are walked in three hours, at 360 listings an hour. */
  private static final Duration PAGE_EVERY = Duration.ofSeconds(10);

  private static final Duration WALK_EVERY = Duration.ofHours(12);
  private static final Duration AFTER_FAILURE = Duration.ofMinutes(5);

  private final DerivedSweep sweep;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = Thread.ofVirtual().name("edge-expiry").unstarted(this::run);
  private long deleted;
  private boolean failed;

  VariantExpiry(DerivedSweep sweep) {
    this.sweep = sweep;
  }

  VariantExpiry start() {
    thread.start();
    return this;
  }

  private void run() {
    try {
      Duration pause = Duration.ZERO;
      while (!closed.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
        pause = turn();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Duration turn() {
    try {
      DerivedSweep.Turn turn = sweep.turn();
      failed = false;
      deleted += turn.deleted();
      if (!turn.through()) {
        return PAGE_EVERY;
      }
      LOG.info("shared variants: {} old ones deleted", deleted);
      deleted = 0;
      return WALK_EVERY;
    } catch (QueueException e) {
      if (!failed && closed.getCount() > 0) {
        failed = true;
        LOG.warn("old shared variants are not deleted for now: {}", e.getMessage());
      }
      return AFTER_FAILURE;
    } catch (RuntimeException e) {
      LOG.error("A turn over the shared variants met a defect, going on", e);
      return AFTER_FAILURE;
    }
  }

  @Override
  public void close() {
    closed.countDown();
    thread.interrupt();
  }
}
