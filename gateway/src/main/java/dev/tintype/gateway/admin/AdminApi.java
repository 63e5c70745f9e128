package dev.tintype.gateway.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Queries;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.jobs.JobJson;
import dev.tintype.gateway.jobs.JobsApi;
import dev.tintype.gateway.problem.GatewayException.NotFoundException;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.Account;
import dev.tintype.queue.store.QueueLoad;
import dev.tintype.queue.store.Tier;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The handlers of /v1/admin. The account was verified to be an admin's before. */
public final class AdminApi {
  private static final int PAGE_DEFAULT = 20;
  private static final int PAGE_MAX = 100;
  private static final double MS_PER_S = 1e3;

  private final GatewayParts parts;
  private final BlockingCalls calls;
  private final JobJson json;

  public AdminApi(GatewayParts parts, BlockingCalls calls, JobJson json) {
    this.parts = parts;
    this.calls = calls;
    this.json = json;
  }

  /** GET /v1/admin/queue: the tiers, and what waits and runs in each. */
  public Future<Reply> queue(RoutingContext context, Account admin) {
    Queries.of(context, List.of());
    return calls.run(
        () -> {
          List<QueueLoad> load = parts.jobs().load();
          ObjectNode node = Json.object();
          ArrayNode tiers = node.putArray("tiers");
          parts.accounts().tiers().forEach(tier -> tiers.add(tier(tier, load)));
          return Reply.json(200, node);
        });
  }

  private static ObjectNode tier(Tier tier, List<QueueLoad> all) {
    List<QueueLoad> load = all.stream().filter(one -> one.tier().equals(tier.name())).toList();
    ObjectNode node = AccountsApi.json(tier);
    for (JobState state :
        List.of(JobState.QUEUED, JobState.LEASED, JobState.RUNNING, JobState.DEAD)) {
      node.put(
          state.wire(),
          load.stream().filter(one -> one.state() == state).mapToLong(QueueLoad::jobs).sum());
    }
    List<QueueLoad> waiting = load.stream().filter(one -> one.state() == JobState.QUEUED).toList();
    node.put(
        "oldest_wait_s",
        waiting.stream().map(QueueLoad::oldest).mapToLong(Duration::toMillis).max().orElse(0)
            / MS_PER_S);
    node.put("backlog_gpu_s", waiting.stream().mapToLong(QueueLoad::costMs).sum() / MS_PER_S);
    return node;
  }

  /** GET /v1/admin/dead: newest first, with the cause of each. */
  public Future<Reply> dead(RoutingContext context, Account admin) {
    Queries query = Queries.of(context, List.of("limit", "before"));
    int limit = query.integer("limit", 1, PAGE_MAX).orElse(PAGE_DEFAULT);
    Optional<JobId> before = query.text("before").map(JobsApi::cursor);
    return calls.run(
        () -> {
          List<Job> jobs = parts.jobs().dead(before, limit + 1);
          List<Job> page = jobs.subList(0, Math.min(limit, jobs.size()));
          ObjectNode node = Json.object();
          ArrayNode array = node.putArray("jobs");
          page.forEach(job -> array.add(dead(job)));
          node.put("next", jobs.size() > limit ? page.getLast().id().value() : null);
          return Reply.json(200, node);
        });
  }

  /** GET /v1/admin/dead/{id}. */
  public Future<Reply> deadJob(RoutingContext context, Account admin) {
    JobId id = JobsApi.id(context);
    return calls.run(
        () ->
            Reply.json(
                200,
                dead(
                    parts
                        .jobs()
                        .get(id)
                        .filter(job -> job.state() == JobState.DEAD)
                        .orElseThrow(AdminApi::notDead))));
  }

  /** POST /v1/admin/dead/{id}/redrive: another life, with all its attempts. */
  public Future<Reply> redrive(RoutingContext context, Account admin) {
    JobId id = JobsApi.id(context);
    context.request().resume(); // There is no body to wait for.
    return calls.run(
        () -> {
          if (!parts.jobs().redrive(id)) {
            throw notDead();
          }
          return Reply.json(
              202, Json.object().put("id", id.value()).put("state", JobState.QUEUED.wire()));
        });
  }

  /** DELETE /v1/admin/dead/{id}: forgets the job for good. */
  public Future<Reply> purge(RoutingContext context, Account admin) {
    JobId id = JobsApi.id(context);
    return calls.run(
        () -> {
          if (!parts.jobs().purge(id)) {
            throw notDead();
          }
          return new Reply.Empty(204, Map.of());
        });
  }

  private ObjectNode dead(Job job) {
    ObjectNode node = Json.object();
    node.put("user", job.userId()).put("crashes", job.crashes()).put("errors", job.errors());
    node.set("job", json.job(job, Optional.empty(), Optional.empty(), Optional.empty()));
    return node;
  }

  private static NotFoundException notDead() {
    return new NotFoundException("job.not_dead", "There is no dead job with this id.");
  }
}
