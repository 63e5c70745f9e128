package dev.tintype.queue.sweep;

import dev.tintype.queue.QueueException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the sweep over and over on a thread of its own. Several processes may: the database gives
 * each turn to one. What a turn cannot do now, the next one does.
 */
public final class Sweeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);
  private static final Duration EVERY = Duration.ofSeconds(10);
  private static final Duration AFTER_FAILURE = Duration.ofMinutes(5);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);

  /** What broken writes left is looked for this often: a walk through 65,536 folders at most. */
  private static final Duration TIDY_EVERY = Duration.ofHours(6);

  private final BlobSweep sweep;
  private final Runnable tidy;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread = Thread.ofVirtual().name("tintype-sweeper").unstarted(this::loop);
  private Instant tidyNotBefore = Instant.MIN;
  private String lastComplaint = "";

  /**
   * @param tidy removes what broken writes left; once at the start, then every six hours
   */
  public Sweeper(BlobSweep sweep, Runnable tidy) {
    this.sweep = sweep;
    this.tidy = tidy;
  }

  /** Starts the thread. Close it before the stores. */
  public Sweeper start() {
    thread.start();
    return this;
  }

  private void loop() {
    try {
      Duration pause = Duration.ZERO;
      while (!closed.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
        pause = turn() ? EVERY : AFTER_FAILURE;
      }
    } catch (InterruptedException e) {
      LOG.debug("sweeper ends");
    }
  }

  /** False where it should be left alone for a while. */
  private boolean turn() {
    try {
      Instant now = Instant.now();
      if (!now.isBefore(tidyNotBefore)) {
        tidyNotBefore = now.plus(TIDY_EVERY);
        tidy.run();
      }
      Tally tally = sweep.turn();
      if (tally.orphans() > 0 || tally.cooled() > 0) {
        LOG.info(
            "sweep: {} blobs that nothing named deleted, {} bytes freed; {} moved to the cold"
                + " class",
            tally.orphans(),
            tally.orphanBytes(),
            tally.cooled());
      }
      lastComplaint = "";
      return true;
    } catch (QueueException e) {
      complain(e.code() + " " + e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("sweep: this turn failed, going on", e);
    }
    return false;
  }

  /** The same trouble is told once. */
  private void complain(String what) {
    if (!what.equals(lastComplaint)) {
      lastComplaint = what;
      LOG.warn("sweep waits: {}", what);
    }
  }

  @Override
  public void close() {
    closed.countDown();
    thread.interrupt();
    try {
      if (thread.isAlive()) {
        thread.join(CLOSE_TIMEOUT);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
