package dev.tintype.perf.edge;

import java.util.List;
import java.util.function.ToDoubleFunction;

/** The middle of repeated measurements: other programs on the machine only ever make it slower. */
final class Medians {
  private Medians() {}

  static <T> double of(List<T> rounds, ToDoubleFunction<T> value) {
    double[] sorted = rounds.stream().mapToDouble(value).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
