package dev.tintype.gateway.metrics;

import dev.tintype.gateway.admin.FleetApi;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.fleet.Place;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.fleet.WorkerState;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.store.QueueLoad;
import dev.tintype.queue.store.Tier;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The workers as gauges. Left out while it is not known who works. */
final class FleetMetrics {
  private FleetMetrics() {}

  static void write(Exposition page, FleetView fleet, List<QueueLoad> load, List<Tier> tiers) {
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
    Map<Place, Integer> ready = new TreeMap<>();
    Map<Place, Integer> resident = new TreeMap<>();
    for (WorkerStatus worker : workers) {
      for (String model : worker.serves()) {
        Place place = new Place(worker.pool(), model);
        ready.merge(place, worker.takes(model) ? 1 : 0, Integer::sum);
        resident.merge(place, worker.resident().contains(model) ? 1 : 0, Integer::sum);
      }
    }
    byPlace(page, "tintype_model_workers", "Workers that take jobs for the model.", ready);
    byPlace(page, "tintype_model_resident", "Workers that have the model loaded.", resident);
    byPlace(
        page,
        "tintype_queue_unserved_jobs",
        "Queued jobs that no worker takes, by model and their tier's pool.",
        FleetApi.unserved(fleet, load, tiers));
  }

  static void wanted(Exposition page, Map<Place, ScalePolicy.Wanted> wanted) {
    String name = "tintype_scale_wanted_workers";
    page.family(name, "gauge", "Workers that the model should have in the pool, by kind.");
    wanted.forEach(
        (place, one) -> {
          page.sample(name, labels(place, "on_demand"), one.onDemand());
          page.sample(name, labels(place, "spot"), one.spot());
        });
  }

  private static Map<String, String> labels(Place place, String kind) {
    Map<String, String> labels = labels(place);
    labels.put("kind", kind);
    return labels;
  }

  private static Map<String, String> labels(Place place) {
    return new TreeMap<>(Map.of("model", place.model(), "pool", place.pool()));
  }

  private static void byPlace(
      Exposition page, String name, String help, Map<Place, ? extends Number> values) {
    page.family(name, "gauge", help);
    values.forEach((place, value) -> page.sample(name, labels(place), value.doubleValue()));
  }
}
