package dev.tintype.gateway.jobs;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * How many jobs wait before a new one, without a query for each submission: counted at most once in
 * {@link #FRESH}, and what this gateway accepted since is added. A hint: other gateways accept too,
 * and workers take jobs meanwhile.
 */
final class QueueLength {
  static final Duration FRESH = Duration.ofSeconds(1);

  private record Count(long jobs, long atNanos) {}

  private final AtomicReference<Count> latest = new AtomicReference<>();
  private final AtomicLong since = new AtomicLong();

  /**
   * For a job that was accepted just now.
   *
   * @param count asks the store; where it fails, so does this
   */
  long beforeNext(LongSupplier count) {
    Count known = latest.get();
    long now = System.nanoTime();
    boolean fresh = known != null && now - known.atNanos < FRESH.toNanos();
    // Whoever comes first counts anew; the others go by the old figure meanwhile.
    if (fresh || known != null && !latest.compareAndSet(known, new Count(known.jobs, now))) {
      return known.jobs + since.incrementAndGet();
    }
    long jobs = count.getAsLong();
    since.set(0);
    latest.set(new Count(jobs, now));
    return jobs;
  }
}
