package dev.tintype.sampler.golden;

import java.util.Locale;

/**
 * The outcome of one case.
 *
 * @param tensor the one that is furthest from its tolerance; empty when nothing was compared
 * @param maxAbsError of that tensor; NaN when nothing was compared
 * @param meanAbsError of the same tensor
 * @param cosine between the same tensor and what was expected
 * @param tolerance of the same tensor
 * @param milliseconds to run the case, with loading its model
 * @param note the tensor that is furthest off, or why there was nothing to compare
 */
public record GoldenRow(
    String kind,
    String name,
    String tensor,
    double maxAbsError,
    double meanAbsError,
    double cosine,
    double tolerance,
    boolean passed,
    double milliseconds,
    String note) {

  static GoldenRow failed(String kind, String name, double milliseconds, String reason) {
    return new GoldenRow(
        kind,
        name,
        "",
        Double.NaN,
        Double.NaN,
        Double.NaN,
        Double.NaN,
        false,
        milliseconds,
        reason);
  }

  /** Column heads for {@link #line}. */
  public static String header() {
    return String.format(
        Locale.ROOT,
        "%-14s %-28s %10s %10s %10s %9s %-4s %8s  %s",
        "kind",
        "case",
        "max abs",
        "mean abs",
        "cosine",
        "tolerance",
        "",
        "ms",
        "");
  }

  /** One line of a table. */
  public String line() {
    return String.format(
        Locale.ROOT,
        "%-14s %-28s %10.2e %10.2e %10.7f %9.1e %-4s %8.0f  %s",
        kind,
        name,
        maxAbsError,
        meanAbsError,
        cosine,
        tolerance,
        passed ? "PASS" : "FAIL",
        milliseconds,
        note);
  }
}
