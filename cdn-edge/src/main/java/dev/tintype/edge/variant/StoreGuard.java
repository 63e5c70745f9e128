package dev.tintype.edge.variant;

import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.Callable;
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
 * Questions to a store that may be away, and that can be done without: each has its deadline, and
 * after a failure the store is left alone for a while. So a store that hangs costs one deadline in
 * ten seconds.
 */
final class StoreGuard {
  /** How long a store that failed is not asked again. */
  static final long PAUSE_MS = 10_000;

  private static final Logger LOG = LoggerFactory.getLogger(StoreGuard.class);

  private final String what;
  private final ExecutorService pool;
  private final long deadlineMs;
  private final Clock clock;
  private final AtomicLong pausedUntilMs = new AtomicLong(Long.MIN_VALUE);

  /**
   * Trusts the store.
   *
   * @param what the store, for the log
   * @param pool bounded; what it refuses is not asked
   */
  StoreGuard(String what, ExecutorService pool, long deadlineMs, Clock clock) {
    this.what = what;
    this.pool = pool;
    this.deadlineMs = deadlineMs;
    this.clock = clock;
  }

  /** The answer, or empty where there is none in time; blocks for the deadline at most. */
  <T> Optional<T> ask(Callable<T> question) {
    if (paused()) {
      return Optional.empty();
    }
    Future<T> answer;
    try {
      answer = pool.submit(question);
    } catch (RejectedExecutionException e) {
      return Optional.empty();
    }
    try {
      return Optional.of(answer.get(deadlineMs, TimeUnit.MILLISECONDS));
    } catch (TimeoutException e) {
      answer.cancel(true);
      failed("no answer within " + deadlineMs + " ms");
    } catch (ExecutionException e) {
      failed(e.getCause().toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answer.cancel(true);
    }
    return Optional.empty();
  }

  /**
   * Does something when there is time, or never.
   *
   * @param end done in any case, after it or in its place
   */
  void later(Callable<?> task, Runnable end) {
    if (paused()) {
      end.run();
      return;
    }
    try {
      pool.execute(
          () -> {
            try {
              task.call();
            } catch (Exception e) {
              failed(e.toString());
            } finally {
              end.run();
            }
          });
    } catch (RejectedExecutionException e) {
      // More than the store keeps up with.
      end.run();
    }
  }

  private boolean paused() {
    return clock.millis() < pausedUntilMs.get();
  }

  void failed(String why) {
    long now = clock.millis();
    if (pausedUntilMs.getAndSet(now + PAUSE_MS) <= now) {
      LOG.warn("{} is left alone for {} s: {}", what, PAUSE_MS / 1000, why);
    }
  }
}
