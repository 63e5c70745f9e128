package dev.tintype.gateway.http;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * An answer that whoever asks without a key may have: it is looked up at most once at a time, and
 * is then good for a while, however many ask. Failures are not kept.
 */
public final class SharedAnswer<T> {
  private record Known<T>(T value, long atMillis) {}

  private final Vertx vertx;
  private final Clock clock;
  private final long freshMs;
  private final Supplier<Future<T>> question;

  /** The question that is under way, or null; whoever comes meanwhile shares it. */
  private final AtomicReference<Future<T>> asking = new AtomicReference<>();

  private final AtomicReference<Known<T>> latest = new AtomicReference<>();

  /**
   * @param freshMs age up to which an answer is given again
   * @param question called on the event loop of whoever asks; does not block
   */
  public SharedAnswer(Vertx vertx, Clock clock, long freshMs, Supplier<Future<T>> question) {
    this.vertx = vertx;
    this.clock = clock;
    this.freshMs = freshMs;
    this.question = question;
  }

  /** Completes on the caller's event loop. */
  public Future<T> get() {
    Known<T> known = latest.get();
    // A clock that was set back makes an answer look young for ever; hence the absolute difference.
    if (known != null && Math.abs(clock.millis() - known.atMillis()) < freshMs) {
      return Future.succeededFuture(known.value());
    }
    Promise<T> mine = Promise.promise();
    Future<T> underWay = asking.compareAndExchange(null, mine.future());
    if (underWay != null) {
      return here(underWay);
    }
    question
        .get()
        .onSuccess(value -> latest.set(new Known<>(value, clock.millis())))
        .onComplete(
            outcome -> {
              asking.set(null);
              mine.handle(outcome);
            });
    return mine.future();
  }

  /** The outcome of another event loop's call on the caller's own. */
  private Future<T> here(Future<T> elsewhere) {
    Context context = vertx.getOrCreateContext();
    Promise<T> promise = Promise.promise();
    elsewhere.onComplete(outcome -> context.runOnContext(on -> promise.handle(outcome)));
    return promise.future();
  }
}
