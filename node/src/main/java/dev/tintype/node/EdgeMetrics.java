package dev.tintype.node;

import dev.tintype.edge.http.EdgeRoutes;
import dev.tintype.gateway.metrics.ProcessMetric;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What an edge counts, for its process's page of metrics. */
final class EdgeMetrics {
  private EdgeMetrics() {}

  static List<ProcessMetric> of(EdgeRoutes edge) {
    return List.of(
        metric("tintype_edge_encodes_total", "Variants that were encoded here.", edge::encodes),
        metric(
            "tintype_edge_in_flight_bytes",
            "Bytes that requests hold beside the caches, of edge.limits.in_flight_bytes_max.",
            edge::bytesInFlight),
        metric(
            "tintype_edge_memory_refusals_total",
            "Requests that found no room among them (edge.memory).",
            edge::refusedForMemory),
        metric(
            "tintype_edge_later_variants",
            "AVIF variants that were put off and wait, of edge.limits.later_queue_max.",
            edge::waitingForLater),
        metric(
            "tintype_edge_later_dropped_total",
            "AVIF variants that were put off and given up for newer ones.",
            edge::givenUpForLater));
  }

  private static ProcessMetric metric(String name, String help, Supplier<Number> value) {
    return new ProcessMetric(name, help, () -> Map.of("", value.get()));
  }
}
