package dev.tintype.perf.fleet;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** Rests between the looks of a loop, which ends all the same: late, or when its test is over. */
final class Patience {
  private static final Duration MOST = Duration.ofSeconds(120);
  private static final Duration PAUSE = Duration.ofMillis(50);

  private final long until = System.nanoTime() + MOST.toNanos();

  /**
   * @param what is told where this goes on for too long
   */
  void rest(Supplier<String> what) {
    if (Thread.currentThread().isInterrupted()) {
      throw new AssertionError("interrupted: " + what.get());
    }
    if (System.nanoTime() - until > 0) {
      throw new AssertionError("not in " + MOST.toSeconds() + " s: " + what.get());
    }
    LockSupport.parkNanos(PAUSE.toNanos());
  }
}
