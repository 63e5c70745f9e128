package dev.tintype.gateway.metrics;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Something that one part of the process counts, for its page of metrics.
 *
 * @param name as Prometheus has it, such as {@code tintype_webhooks_total}; counters end in _total
 * @param help one sentence
 * @param label the name of the one label; empty where there is none
 * @param samples by the label's value; asked at each look of a scraper, on a virtual thread. May
 *     block for a moment. Empty, or an exception, leaves the metric out: it cannot be told now
 */
public record ProcessMetric(
    String name,
    String help,
    String label,
    Supplier<? extends Map<String, ? extends Number>> samples) {
  /** Without a label. */
  public ProcessMetric(
      String name, String help, Supplier<? extends Map<String, ? extends Number>> samples) {
    this(name, help, "", samples);
  }

  /** What it tells now, kept for writing. */
  record Seen(ProcessMetric metric, Map<String, Number> samples) {
    void write(Exposition page) {
      String type = metric.name.endsWith("_total") ? "counter" : "gauge";
      page.family(metric.name, type, metric.help);
      samples.forEach(
          (value, number) ->
              page.sample(
                  metric.name,
                  metric.label.isEmpty() ? Map.of() : Map.of(metric.label, value),
                  number.doubleValue()));
    }
  }

  Seen look() {
    try {
      return new Seen(this, new TreeMap<>(samples.get()));
    } catch (RuntimeException e) {
      return new Seen(this, Map.of());
    }
  }
}
