package dev.tintype.worker;

/**
 * How many pictures are stepped together. Out of memory halves it, at least to one; after a while
 * without that it grows again by one at a time, since what filled the memory (a decode, another
 * process) may be gone. Each halving doubles the while, so that a device that is too small is tried
 * ever more seldom. Pure; for one thread.
 */
final class BatchSize {
  /** Full batches in a row before the first growth. */
  static final int CALM_STEPS = 200;

  private static final int CALM_STEPS_MAX = 100 * CALM_STEPS;

  private final int limit;
  private int max;
  private int calm;
  private int calmNeeded = CALM_STEPS;

  /**
   * @param limit what it never passes
   */
  BatchSize(int limit) {
    this.limit = limit;
    this.max = limit;
  }

  int max() {
    return max;
  }

  /** A step of so many pictures went well; smaller ones say nothing about room. */
  void stepped(int size) {
    if (max == limit || size < max) {
      return;
    }
    calm++;
    if (calm >= calmNeeded) {
      calm = 0;
      max++;
    }
  }

  /** A step of so many pictures did not fit. */
  void outOfMemory(int size) {
    max = StepPolicy.halved(size);
    calm = 0;
    calmNeeded = Math.min(CALM_STEPS_MAX, 2 * calmNeeded);
  }
}
