package dev.tintype.worker;

import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/** Denoising steps a second between two looks. Counted by the loop, looked at by one other. */
final class StepRate {
  private static final double NS_PER_S = 1e9;

  private final LongSupplier nanoTime;
  private final LongAdder steps = new LongAdder();
  private long seenSteps;
  private long seenAt;

  /**
   * @param nanoTime as {@link System#nanoTime}
   */
  StepRate(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.seenAt = nanoTime.getAsLong();
  }

  /** So many pictures were stepped. */
  void add(int count) {
    steps.add(count);
  }

  /** Since the last call, or since the beginning; 0 where no time has passed. */
  synchronized double perSecond() {
    long now = nanoTime.getAsLong();
    long all = steps.sum();
    double rate = now > seenAt ? (all - seenSteps) * NS_PER_S / (now - seenAt) : 0;
    seenSteps = all;
    seenAt = now;
    return rate;
  }
}
