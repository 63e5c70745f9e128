package dev.tintype.gateway.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Queries;
import dev.tintype.gateway.http.Reply;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.Account;
import dev.tintype.queue.store.QueueLoad;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.TreeMap;

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
          unserved(fleet, parts.jobs().load())
              .forEach(
                  (model, jobs) -> unserved.addObject().put("model", model).put("queued", jobs));
          return Reply.json(200, node);
        });
  }

  /**
   * Queued jobs by model, of the models that no worker takes jobs for now. None where it is not
   * known who works.
   */
  public static TreeMap<String, Long> unserved(FleetView fleet, List<QueueLoad> load) {
    TreeMap<String, Long> jobs = new TreeMap<>();
    if (fleet.known()) {
      load.stream()
          .filter(one -> one.state() == JobState.QUEUED)
          .filter(one -> fleet.workersFor(one.model()) == 0)
          .forEach(one -> jobs.merge(one.model(), one.jobs(), Long::sum));
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
        .put("version", worker.version());
  }
}
