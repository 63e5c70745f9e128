package dev.tintype.sampler.golden;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Collects the differences of the tensors of one case. */
final class Comparison {
  private final List<Entry> entries = new ArrayList<>();
  private final List<Entry> taps = new ArrayList<>();

  /** One tensor against what was expected of it. */
  record Entry(String tensor, double maxAbs, double meanAbs, double cosine, double tolerance) {
    boolean passed() {
      return maxAbs <= tolerance;
    }

    double ratio() {
      if (maxAbs == 0) {
        return 0;
      }
      return Double.isNaN(maxAbs) ? Double.POSITIVE_INFINITY : maxAbs / tolerance;
    }
  }

  void add(String tensor, float[] actual, float[] expected, double tolerance) {
    entries.add(compare(tensor, actual, expected, tolerance));
  }

  void add(String tensor, double[] actual, double[] expected, double tolerance) {
    entries.add(compare(tensor, actual, expected, tolerance));
  }

  /** A tensor inside the network, reported but not judged. */
  void addTap(String tensor, float[] actual, float[] expected, double tolerance) {
    taps.add(compare(tensor, actual, expected, tolerance));
  }

  private static Entry compare(String name, float[] actual, float[] expected, double tolerance) {
    return compare(name, widen(actual), widen(expected), tolerance);
  }

  private static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static Entry compare(String name, double[] actual, double[] expected, double tolerance) {
    if (actual.length != expected.length) {
      throw new GoldenException(
          name + " has " + actual.length + " values, expected are " + expected.length);
    }
    double max = 0;
    double sum = 0;
    double dot = 0;
    double aa = 0;
    double ee = 0;
    for (int i = 0; i < actual.length; i++) {
      // Equal infinities (a sigma of the terminal step) are equal.
      double difference = actual[i] == expected[i] ? 0 : Math.abs(actual[i] - expected[i]);
      // Math.max keeps a NaN, so that it cannot pass.
      max = Math.max(max, difference);
      sum += difference;
      dot += actual[i] * expected[i];
      aa += actual[i] * actual[i];
      ee += expected[i] * expected[i];
    }
    double cosine = max == 0 ? 1 : dot / Math.sqrt(aa * ee);
    return new Entry(name, max, actual.length == 0 ? 0 : sum / actual.length, cosine, tolerance);
  }

  GoldenRow row(String kind, String name, double milliseconds) {
    if (entries.isEmpty()) {
      return GoldenRow.failed(kind, name, milliseconds, "nothing to compare in the case");
    }
    Entry worst = entries.getFirst();
    for (Entry entry : entries) {
      if (entry.ratio() > worst.ratio()) {
        worst = entry;
      }
    }
    boolean passed = entries.stream().allMatch(Entry::passed);
    return new GoldenRow(
        kind,
        name,
        worst.tensor,
        worst.maxAbs,
        worst.meanAbs,
        worst.cosine,
        worst.tolerance,
        passed,
        milliseconds,
        worst.tensor + (passed ? "" : beginning()));
  }

  /** Where inside the network the difference begins. */
  private String beginning() {
    StringBuilder text = new StringBuilder();
    for (Entry tap : taps) {
      text.append(
          String.format(
              Locale.ROOT, "; %s %.1e%s", tap.tensor, tap.maxAbs, tap.passed() ? "" : " !"));
    }
    return text.toString();
  }
}
