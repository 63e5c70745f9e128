package dev.tintype.queue.relay;

/**
 * One of several that share something by weight (stride scheduling): the work it was given divided
 * by its weight is its pass, and the smallest pass is next.
 */
final class Turns {
  private double weight = 1;
  private double pass;

  void weight(double ofAll) {
    weight = ofAll;
  }

  /** Who was idle starts now, and claims nothing for the past. */
  double start(double virtualTime) {
    return Math.max(pass, virtualTime);
  }

  void charge(long costMs, double virtualTime) {
    pass = start(virtualTime) + costMs / weight;
  }

  void refund(long costMs) {
    pass -= costMs / weight;
  }
}
