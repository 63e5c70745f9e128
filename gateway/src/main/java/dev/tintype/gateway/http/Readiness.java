package dev.tintype.gateway.http;

import dev.tintype.queue.store.JobStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;

/**
 * GET /readyz: whether the database answers and has this version's schema. One statement that reads
 * a handful of rows, at most once at a time and once a second, with a gate of its own: probes cost
 * the same however long the queue is, and come through when all other calls wait.
 */
public final class Readiness {
  /** Probes come every few seconds; a second hides nothing from them. */
  private static final long FRESH_MS = 1_000;

  private static final Duration TIME = Duration.ofSeconds(5);

  private final SharedAnswer<Boolean> answer;

  public Readiness(Vertx vertx, JobStore store, Clock clock) {
    BlockingCalls calls = new BlockingCalls(vertx, 1, 0, TIME);
    answer =
        new SharedAnswer<>(
            vertx,
            clock,
            FRESH_MS,
            () ->
                calls.run(
                    () -> {
                      store.check();
                      return true;
                    }));
  }

  /** Succeeds where the gateway can do its work; fails with the reason. */
  public Future<Boolean> check() {
    return answer.get();
  }
}
