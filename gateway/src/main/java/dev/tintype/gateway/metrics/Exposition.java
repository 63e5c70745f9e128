package dev.tintype.gateway.metrics;

import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A page of metrics being written. Names follow Prometheus: base units, counters end in _total. */
final class Exposition {
  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final StringBuilder text = new StringBuilder();

  /** Begins a metric; its samples follow. */
  Exposition family(String name, String type, String help) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    return this;
  }

  Exposition sample(String name, Map<String, String> labels, double value) {
    text.append(name);
    if (!labels.isEmpty()) {
      text.append(
          labels.entrySet().stream()
              .map(label -> label.getKey() + "=\"" + escape(label.getValue()) + '"')
              .collect(Collectors.joining(",", "{", "}")));
    }
    text.append(' ').append(number(value)).append('\n');
    return this;
  }

  /** A metric of one sample. */
  Exposition gauge(String name, String help, double value) {
    return family(name, "gauge", help).sample(name, Map.of(), value);
  }

  private static String escape(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }

  static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : String.format(Locale.ROOT, "%.6g", value);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
