package dev.tintype.gateway.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.AdmissionRule;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.auth.RateLimiter;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.BodyReader;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Queries;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.metrics.SubmitMetrics;
import dev.tintype.gateway.problem.GatewayException;
import dev.tintype.gateway.problem.GatewayException.ConflictException;
import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.gateway.problem.GatewayException.NotFoundException;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.Account;
import dev.tintype.queue.store.CancelResult;
import dev.tintype.queue.store.JobStore;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The handlers of /v1/jobs and /v1/models. The account was verified before. */
public final class JobsApi {
  private static final int PAGE_DEFAULT = 20;
  private static final int PAGE_MAX = 100;

  /**
   * How far back the latest progress of a running job is looked for; previews and pictures stand in
   * between.
   */
  private static final int PROGRESS_LOOK_BACK = 32;

  /** Nobody cares whether 1,000 or 2,000 jobs come first, and counting costs. */
  private static final int AHEAD_MAX = 1_000;

  private static final Duration FULL_RETRY = Duration.ofSeconds(5);

  private final GatewayParts parts;
  private final BlockingCalls calls;
  private final BodyReader bodies;
  private final RateLimiter submits;
  private final Recipes recipes;
  private final JobJson json;
  private final SubmitMetrics metrics;
  private final Intake intake;
  private final QueueLength waiting = new QueueLength();

  public JobsApi(
      GatewayParts parts,
      BlockingCalls calls,
      BodyReader bodies,
      RateLimiter submits,
      JobJson json,
      SubmitMetrics metrics,
      AdmissionRule admission) {
    this.parts = parts;
    this.calls = calls;
    this.bodies = bodies;
    this.submits = submits;
    this.recipes = new Recipes(parts.models(), parts.random());
    this.json = json;
    this.metrics = metrics;
    this.intake = new Intake(parts, admission);
  }

  /** POST /v1/jobs. */
  public Future<Reply> submit(RoutingContext context, Account account) {
    long began = System.nanoTime();
    Optional<String> key = IdempotencyKeys.read(context.request().headers());
    boolean join = join(context);
    return submits
        .admit(account.userId())
        .compose(admitted -> bodies.json(context.request()))
        .compose(
            bytes -> {
              ObjectNode body = Json.readObject(bytes);
              SubmitBody asked = SubmitBody.of(body);
              asked.webhook().ifPresent(this::checkWebhook);
              Recipes.Wish wish = recipes.wish(asked);
              SubmitRequest request =
                  new SubmitRequest(
                      account.userId(),
                      account.tier().name(),
                      wish.mode(),
                      wish.spec(),
                      key,
                      IdempotencyKeys.fingerprint(body),
                      join,
                      Optional.empty(),
                      parts.costs().estimateMs(wish.spec()),
                      asked.webhook());
              return calls.run(() -> submitted(request, account, began));
            });
  }

  private void checkWebhook(String url) {
    try {
      parts.webhooks().check(url);
    } catch (QueueException.Invalid e) {
      throw new RequestException(422, e.code(), "webhook", e.getMessage());
    }
  }

  /** {@code ?join=in_flight}: an equal body of this user that is under way is the same job. */
  private static boolean join(RoutingContext context) {
    Optional<String> join = Queries.of(context, List.of("join")).text("join");
    join.filter(value -> !value.equals("in_flight"))
        .ifPresent(
            value -> {
              throw new RequestException(
                  400, "request.parameter", "join", "join has one value: in_flight.");
            });
    return join.isPresent();
  }

  /** A replay is answered as it was the first time, whatever has changed since. */
  private Reply submitted(SubmitRequest asked, Account account, long began) {
    SubmitRequest request = granted(asked, account);
    Intake.Answer answer = intake.ask(request);
    boolean accepted = false;
    try {
      Optional<GatewayException> refusal =
          answer.refusal().<GatewayException>map(full -> full).or(() -> foreign(request));
      SubmitResult result =
          refusal.isEmpty()
              ? parts.jobs().submit(request)
              : parts.jobs().earlier(request).orElseThrow(refusal::get);
      accepted = result instanceof SubmitResult.Accepted;
      return submitted(result, asked.mode(), answer.expectedWait(), began);
    } catch (LimitException e) {
      if (answer.refusal().isPresent()) {
        metrics.refused(System.nanoTime() - began);
      }
      throw e;
    } finally {
      intake.settle(answer, accepted);
    }
  }

  /** In mode normal, where the tier's allowance of mode fast is used up. */
  private SubmitRequest granted(SubmitRequest asked, Account account) {
    OptionalLong allowanceS = account.tier().fastGpuSeconds();
    if (asked.mode() != JobMode.FAST || allowanceS.isEmpty()) {
      return asked;
    }
    long leftMs = allowanceS.getAsLong() * 1_000 - parts.jobs().fastUsedMs(account.userId());
    return asked.costMs() <= leftMs ? asked : asked.withMode(JobMode.NORMAL);
  }

  /** A picture that the user may not start from may have been swept since it could be. */
  private Optional<GatewayException> foreign(SubmitRequest request) {
    return foreign(request, "init_image", request.spec().initImage())
        .or(() -> foreign(request, "mask", request.spec().maskImage()))
        .map(
            field ->
                new RequestException(
                    422,
                    "image.unknown",
                    field,
                    "You have no picture with this SHA-256: send it to POST /v1/images first, or"
                        + " name one that a job of yours has painted."));
  }

  /** The field, where it names a picture that the user may not start from. */
  private Optional<String> foreign(SubmitRequest request, String field, Optional<String> sha256) {
    return sha256
        .filter(sha -> parts.uploads().find(request.userId(), sha).isEmpty())
        .map(sha -> field);
  }

  private Reply submitted(
      SubmitResult result, JobMode asked, Optional<Duration> expectedWait, long began) {
    metrics.submitted(result, System.nanoTime() - began);
    return switch (result) {
      case SubmitResult.Accepted accepted ->
          accepted(accepted.job(), asked, expectedWait, Map.of());
      case SubmitResult.Replayed replayed ->
          accepted(replayed.job(), asked, Optional.empty(), Map.of("Idempotency-Replayed", "true"));
      case SubmitResult.Conflict conflict ->
          throw new RequestException(
              422,
              "idempotency.conflict",
              "Idempotency-Key",
              "This Idempotency-Key was used with another body, for job "
                  + conflict.existing()
                  + ". Use a new key for a new job.");
      case SubmitResult.OverLimit full ->
          throw new LimitException(
              "queue.user_full",
              "You have "
                  + full.queuedMax()
                  + " unfinished jobs, as many as your tier allows. Wait until one ends, or cancel"
                  + " one.",
              FULL_RETRY);
    };
  }

  private Reply accepted(
      Job job, JobMode asked, Optional<Duration> expectedWait, Map<String, String> more) {
    Map<String, String> headers = new HashMap<>(more);
    headers.put("Location", "/v1/jobs/" + job.id());
    ObjectNode body = isNew(job) ? fresh(job, expectedWait) : whole(job);
    if (asked == JobMode.FAST && job.mode() != JobMode.FAST) {
      body.set("notice", JobJson.fastUsedUp());
    }
    return Reply.json(202, body, headers);
  }

  private static boolean isNew(Job job) {
    return job.state() == JobState.QUEUED && job.attempt() == 0;
  }

  /** Nothing has happened to it yet, so nothing has to be read. */
  private ObjectNode fresh(Job job, Optional<Duration> expectedWait) {
    Optional<JobJson.Queue> queue;
    try {
      long jobs = waiting.beforeNext(() -> parts.jobs().queuedBefore(job.id(), AHEAD_MAX));
      queue = Optional.of(new JobJson.Queue(Math.min(AHEAD_MAX, jobs), expectedWait));
    } catch (QueueException.Unavailable e) {
      queue = Optional.empty(); // The job is accepted all the same.
    }
    return json.job(job, Optional.empty(), queue, Optional.empty());
  }

  /** GET /v1/jobs/{id}. */
  public Future<Reply> get(RoutingContext context, Account account) {
    JobId id = id(context);
    return calls.run(() -> Reply.json(200, whole(own(parts.jobs(), account, id))));
  }

  /** DELETE /v1/jobs/{id}. */
  public Future<Reply> cancel(RoutingContext context, Account account) {
    JobId id = id(context);
    return calls.run(
        () -> {
          CancelResult result = parts.jobs().cancel(account.userId(), id);
          return switch (result) {
            case CANCELED -> Reply.json(200, whole(own(parts.jobs(), account, id)));
            case REQUESTED -> Reply.json(202, whole(own(parts.jobs(), account, id)));
            case ALREADY_ENDED ->
                throw new ConflictException(
                    "job.ended", "This job has ended; there is nothing left to cancel.");
            case NOT_FOUND -> throw notFound();
          };
        });
  }

  /** GET /v1/jobs: the user's own, newest first. */
  public Future<Reply> list(RoutingContext context, Account account) {
    Queries query = Queries.of(context, List.of("limit", "before"));
    int limit = query.integer("limit", 1, PAGE_MAX).orElse(PAGE_DEFAULT);
    Optional<JobId> before = query.text("before").map(JobsApi::cursor);
    return calls.run(
        () -> {
          // One more than asked tells whether there is a next page.
          List<Job> jobs = parts.jobs().list(account.userId(), before, limit + 1);
          List<Job> page = jobs.subList(0, Math.min(limit, jobs.size()));
          ObjectNode node = Json.object();
          ArrayNode array = node.putArray("jobs");
          page.forEach(
              job ->
                  array.add(json.job(job, Optional.empty(), Optional.empty(), Optional.empty())));
          node.put("next", jobs.size() > limit ? page.getLast().id().value() : null);
          return Reply.json(200, node);
        });
  }

  /** GET /v1/models. */
  public Future<Reply> models(RoutingContext context, Account account) {
    Queries.of(context, List.of());
    ObjectNode node = Json.object();
    ArrayNode array = node.putArray("models");
    parts.models().models().forEach(model -> array.add(JobJson.model(model, array.isEmpty())));
    return Future.succeededFuture(Reply.json(200, node));
  }

  /**
   * The job, if it is the account's own.
   *
   * @throws NotFoundException job.not_found, for other users' jobs too
   */
  public static Job own(JobStore jobs, Account account, JobId id) {
    return jobs.get(id)
        .filter(job -> job.userId().equals(account.userId()))
        .orElseThrow(JobsApi::notFound);
  }

  /**
   * The id in the path.
   *
   * @throws NotFoundException job.not_found for what cannot be an id
   */
  public static JobId id(RoutingContext context) {
    try {
      return new JobId(context.pathParam("id"));
    } catch (QueueException.Invalid e) {
      throw notFound();
    }
  }

  /** The value of {@code before}. */
  public static JobId cursor(String text) {
    try {
      return new JobId(text);
    } catch (QueueException.Invalid e) {
      throw new RequestException(
          400,
          "request.parameter",
          "before",
          "before is the value of \"next\" in the page before.");
    }
  }

  private ObjectNode whole(Job job) {
    List<JobEvent> latest = latestEvents(job);
    return json.job(job, progress(job, latest), queue(job), stages(latest));
  }

  /**
   * The end of the log as far as the latest attempt wrote it, newest first; empty while there is
   * nothing to learn from it.
   */
  private List<JobEvent> latestEvents(Job job) {
    if (job.state() != JobState.RUNNING && job.state() != JobState.SUCCEEDED) {
      return List.of();
    }
    return parts
        .jobs()
        .events(job.id(), Math.max(0, job.lastSeq() - PROGRESS_LOOK_BACK), 2 * PROGRESS_LOOK_BACK)
        .reversed()
        .stream()
        .filter(event -> event.attempt() == job.attempt() && event.type() == EventType.PROGRESS)
        .toList();
  }

  private static Optional<JobJson.Progress> progress(Job job, List<JobEvent> latest) {
    int steps = job.spec().steps();
    return switch (job.state()) {
      case RUNNING ->
          latest.stream()
              .findFirst()
              .map(event -> Json.trusted(event.json()))
              .map(event -> new JobJson.Progress(intOf(event, "step"), intOf(event, "steps")))
              .or(() -> Optional.of(new JobJson.Progress(0, steps)));
      case SUCCEEDED -> Optional.of(new JobJson.Progress(steps, steps));
      case QUEUED, LEASED, FAILED, CANCELED, EXPIRED, DEAD -> Optional.empty();
    };
  }

  /** What the worker measured, which it writes into its last progress. */
  private static Optional<JsonNode> stages(List<JobEvent> latest) {
    return latest.stream()
        .map(event -> Json.trusted(event.json()).path("timings_ms"))
        .filter(JsonNode::isObject)
        .findFirst();
  }

  private static int intOf(JsonNode node, String field) {
    return node.path(field).asInt();
  }

  private Optional<JobJson.Queue> queue(Job job) {
    return job.state() == JobState.QUEUED
        ? Optional.of(
            new JobJson.Queue(parts.jobs().queuedBefore(job.id(), AHEAD_MAX), Optional.empty()))
        : Optional.empty();
  }

  private static NotFoundException notFound() {
    return new NotFoundException("job.not_found", "You have no job with this id.");
  }
}
