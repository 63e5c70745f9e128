package dev.tintype.perf.edge;

import java.math.BigDecimal;
import java.math.MathContext;

/** Figures as people read them. */
final class Numbers {
  private Numbers() {}

  /** Three significant digits: more would be the noise of the machine. */
  static double short3(double value) {
    return Double.isFinite(value)
        ? new BigDecimal(value).round(new MathContext(3)).doubleValue()
        : 0;
  }
}
