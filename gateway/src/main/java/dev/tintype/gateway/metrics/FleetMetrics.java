package dev.tintype.gateway.metrics;

import dev.tintype.gateway.admin.FleetApi;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.fleet.WorkerState;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.store.QueueLoad;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The workers as gauges. Left out while it is not known who works. */
final class FleetMetrics {
  private FleetMetrics() {}

  static void write(Exposition page, FleetView fleet, List<QueueLoad> load) {
    if (!fleet.known()) {
      return;
    }
    List<WorkerStatus> workers = fleet.workers();
    page.family("tintype_workers", "gauge", "Workers by state.");
    for (WorkerState state : WorkerState.values()) {
      page.sample(
          "tintype_workers",
          Map.of("state", state.wire()),
          workers.stream().filter(worker -> worker.state() == state).count());
    }
    Map<String, Integer> ready = new TreeMap<>();
    Map<String, Integer> resident = new TreeMap<>();
    for (WorkerStatus worker : workers) {
      for (String model : worker.serves()) {
        ready.merge(model, worker.takes(model) ? 1 : 0, Integer::sum);
        resident.merge(model, worker.resident().contains(model) ? 1 : 0, Integer::sum);
      }
    }
    byModel(page, "tintype_model_workers", "Workers that take jobs for the model.", ready);
    byModel(page, "tintype_model_resident", "Workers that have the model loaded.", resident);
    byModel(
        page,
        "tintype_queue_unserved_jobs",
        "Queued jobs of models that no worker takes jobs for.",
        FleetApi.unserved(fleet, load));
  }

  static void wanted(Exposition page, Map<String, ScalePolicy.Wanted> wanted) {
    String name = "tintype_scale_wanted_workers";
    page.family(name, "gauge", "Workers that the model should have, by kind.");
    wanted.forEach(
        (model, one) -> {
          page.sample(name, labels(model, "on_demand"), one.onDemand());
          page.sample(name, labels(model, "spot"), one.spot());
        });
  }

  private static Map<String, String> labels(String model, String kind) {
    return new TreeMap<>(Map.of("model", model, "kind", kind));
  }

  private static void byModel(
      Exposition page, String name, String help, Map<String, ? extends Number> values) {
    page.family(name, "gauge", help);
    values.forEach(
        (model, value) -> page.sample(name, Map.of("model", model), value.doubleValue()));
  }
}
