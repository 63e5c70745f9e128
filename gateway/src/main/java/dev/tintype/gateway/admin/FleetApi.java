package dev.tintype.gateway.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Queries;
import dev.tintype.gateway.http.Reply;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.fleet.Place;
import dev.tintype.queue.fleet.ScalePolicy;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.Account;
import dev.tintype.queue.store.QueueLoad;
import dev.tintype.queue.store.Tier;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The handlers of /v1/admin that are about workers. */
public final class FleetApi {
  private final GatewayParts parts;
  private final BlockingCalls calls;

  public FleetApi(GatewayParts parts, BlockingCalls calls) {
    this.parts = parts;
    this.calls = calls;
  }

  /** GET /v1/admin/workers: who works, and the models that jobs wait for and nobody paints with. */
  public Future<Reply> workers(RoutingContext context, Account admin) {
    Queries.of(context, List.of());
    return calls.run(
        () -> {
          FleetView fleet = parts.fleet().still();
          ObjectNode node = Json.object();
          node.put("known", fleet.known());
          ArrayNode workers = node.putArray("workers");
          fleet.workers().forEach(worker -> workers.add(worker(worker)));
          ArrayNode unserved = node.putArray("unserved");
          unserved(fleet, parts.jobs().load(), parts.accounts().tiers())
              .forEach(
                  (place, jobs) ->
                      unserved
                          .addObject()
                          .put("model", place.model())
                          .put("pool", place.pool())
                          .put("queued", jobs));
          return Reply.json(200, node);
        });
  }

  /** GET /v1/admin/scale: how many workers each model wants, and how many there are. */
  public Future<Reply> scale(RoutingContext context, Account admin) {
    Queries.of(context, List.of());
    return calls.run(
        () -> {
          FleetView fleet = parts.fleet().still();
          ObjectNode node = Json.object();
          node.put("known", fleet.known());
          node.put("target_wait_s", parts.scale().targetWait().toSeconds());
          ArrayNode models = node.putArray("models");
          wanted(parts, fleet, parts.jobs().load(), parts.accounts().tiers())
              .forEach(
                  (place, wanted) ->
                      models
                          .addObject()
                          .put("model", place.model())
                          .put("pool", place.pool())
                          .put("backlog_gpu_s", wanted.backlogSum())
                          .put(
                              "workers",
                              fleet.known()
                                  ? (int) fleet.workersFor(place.pool(), place.model())
                                  : 0)
                          .put("wanted", wanted.workers())
                          .put("on_demand", wanted.onDemand())
                          .put("spot", wanted.spot()));
          return Reply.json(200, node);
        });
  }

  /** Of the models that this gateway offers, that workers serve, or that jobs ask for. */
  public static SortedMap<Place, ScalePolicy.Wanted> wanted(
      GatewayParts parts, FleetView fleet, List<QueueLoad> load, List<Tier> tiers) {
    Set<Place> places = new TreeSet<>(fleet.places());
    parts.models().models().forEach(card -> places.add(Place.shared(card.name())));
    return parts.scale().wanted(places, load, tiers);
  }

  /**
   * Queued jobs that no worker takes now, by model and their tier's own pool. None where it is not
   * known who works.
   */
  public static TreeMap<Place, Long> unserved(
      FleetView fleet, List<QueueLoad> load, List<Tier> tiers) {
    Map<String, Tier> byName = tiers.stream().collect(Collectors.toMap(Tier::name, one -> one));
    TreeMap<Place, Long> jobs = new TreeMap<>();
    for (QueueLoad one : load) {
      Optional<Tier> tier = Optional.ofNullable(byName.get(one.tier()));
      double workers =
          tier.map(known -> fleet.workersFor(known, one.model()))
              .orElseGet(() -> fleet.workersFor(one.model()));
      if (fleet.known() && one.state() == JobState.QUEUED && workers == 0) {
        Place place = new Place(tier.map(Tier::home).orElse(Tier.SHARED), one.model());
        jobs.merge(place, one.jobs(), Long::sum);
      }
    }
    return jobs;
  }

  private static ObjectNode worker(WorkerStatus worker) {
    ObjectNode node = Json.object();
    node.put("id", worker.id())
        .put("host", worker.host())
        .put("device", worker.device())
        .put("state", worker.state().wire())
        .put("memory_bytes", worker.memoryBytes())
        .put("free_bytes", worker.freeBytes());
    ArrayNode serves = node.putArray("serves");
    worker.serves().forEach(serves::add);
    ArrayNode resident = node.putArray("resident");
    worker.resident().forEach(resident::add);
    return node.put("steps_per_second", Math.round(worker.stepsPerSecond() * 100) / 100.0)
        .put("jobs", worker.jobs())
        .put("jobs_max", worker.jobsMax())
        .put("version", worker.version())
        .put("pool", worker.pool());
  }
}
