package dev.tintype.gateway.http;

import dev.tintype.gateway.problem.GatewayException.UnavailableException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs blocking calls on virtual threads: at most {@code inFlightMax} at a time, at most {@code
 * waitingMax} more wait for their turn, and everything beyond is refused at once. Results come back
 * on the caller's event loop. Each gate guards one thing that may be slow, so that a slow disk does
 * not keep the database's callers waiting.
 */
public final class BlockingCalls {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

  private final Vertx vertx;
  private final int taskMax;
  private final Duration time;
  private final String tooSlow;
  private final Semaphore turns;
  private final AtomicInteger tasks = new AtomicInteger();

  /**
   * @param time from the call to the answer, waiting included; then the future fails while the call
   *     may still run
   */
  public BlockingCalls(Vertx vertx, int inFlightMax, int waitingMax, Duration time) {
    this(vertx, inFlightMax, waitingMax, time, "The database did not answer in time.");
  }

  /**
   * @param tooSlow what did not happen in time, as a sentence for the user
   */
  public BlockingCalls(
      Vertx vertx, int inFlightMax, int waitingMax, Duration time, String tooSlow) {
    this.vertx = vertx;
    this.taskMax = inFlightMax + waitingMax;
    this.time = time;
    this.tooSlow = tooSlow;
    this.turns = new Semaphore(inFlightMax, true);
  }

  /**
   * Fails with {@link UnavailableException} (gateway.busy, gateway.timeout) or with what the call
   * throws.
   */
  public <T> Future<T> run(Callable<T> call) {
    return run(call, () -> {});
  }

  /**
   * As {@link #run(Callable)}.
   *
   * @param onEnd called once, on any thread, when the call has ended or will never begin; where the
   *     future failed for lack of time, that may be much later
   */
  public <T> Future<T> run(Callable<T> call, Runnable onEnd) {
    if (tasks.incrementAndGet() > taskMax) {
      tasks.decrementAndGet();
      onEnd.run();
      return Future.failedFuture(
          new UnavailableException(
              "gateway.busy", "Too many requests at once. Try again soon.", RETRY_AFTER));
    }
    Context context = vertx.getOrCreateContext();
    Promise<T> promise = Promise.promise();
    long timer = vertx.setTimer(time.toMillis(), id -> promise.tryFail(tooSlow()));
    long deadline = System.nanoTime() + time.toNanos();
    Thread.ofVirtual()
        .name("gateway-call")
        .start(
            () -> {
              Future<T> outcome = perform(call, deadline);
              tasks.decrementAndGet();
              onEnd.run();
              context.runOnContext(
                  done -> {
                    vertx.cancelTimer(timer);
                    if (outcome.succeeded()) {
                      promise.tryComplete(outcome.result());
                    } else {
                      promise.tryFail(outcome.cause());
                    }
                  });
            });
    return promise.future();
  }

  private <T> Future<T> perform(Callable<T> call, long deadline) {
    boolean turn = false;
    try {
      turn = turns.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      return turn ? Future.succeededFuture(call.call()) : Future.failedFuture(tooSlow());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Future.failedFuture(tooSlow());
    } catch (Throwable e) {
      return Future.failedFuture(e);
    } finally {
      if (turn) {
        turns.release();
      }
    }
  }

  private UnavailableException tooSlow() {
    return new UnavailableException("gateway.timeout", tooSlow + " Try again soon.", RETRY_AFTER);
  }
}
