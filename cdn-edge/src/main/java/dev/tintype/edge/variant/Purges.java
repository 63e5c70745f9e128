package dev.tintype.edge.variant;

import dev.tintype.edge.error.EdgeException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Purges under way: some at once, each with its deadline, and of one original one at a time. Who
 * asks for one that is under way gets that one's end: since it was noted before it began, nothing
 * of the original has been kept meanwhile.
 */
final class Purges {
  /** Of one purge, from when it begins: a page of listing and some hundred deletions. */
  static final long DEADLINE_MS = 30_000;

  private final EdgePools pools;
  private final Consumer<String> clear;
  private final ConcurrentHashMap<String, CompletableFuture<Void>> underWay =
      new ConcurrentHashMap<>();

  /**
   * @param clear drops what was made of an original; blocks, and ends where it is interrupted
   */
  Purges(EdgePools pools, Consumer<String> clear) {
    this.pools = pools;
    this.clear = clear;
  }

  /** Never blocks. */
  CompletableFuture<Void> start(String sha256) {
    CompletableFuture<Void> mine = new CompletableFuture<>();
    CompletableFuture<Void> running = underWay.putIfAbsent(sha256, mine);
    if (running != null) {
      return running.copy();
    }
    try {
      pools.purge.execute(() -> run(sha256, mine));
    } catch (RejectedExecutionException e) {
      underWay.remove(sha256);
      mine.completeExceptionally(EdgeException.busy());
    }
    return mine.copy();
  }

  private void run(String sha256, CompletableFuture<Void> mine) {
    Thread thread = Thread.currentThread();
    ScheduledFuture<?> deadline =
        pools.deadlines.schedule(thread::interrupt, DEADLINE_MS, TimeUnit.MILLISECONDS);
    try {
      clear.accept(sha256);
      underWay.remove(sha256);
      mine.complete(null);
    } catch (RuntimeException | Error e) {
      underWay.remove(sha256);
      mine.completeExceptionally(Making.answerTo(e));
    } finally {
      deadline.cancel(false);
      // One that came at the very end is not the next purge's.
      Thread.interrupted();
    }
  }
}
