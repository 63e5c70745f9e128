package dev.tintype.gateway.events;

import dev.tintype.gateway.GatewayConfig;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.Queries;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.jobs.JobJson;
import dev.tintype.gateway.jobs.JobsApi;
import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.Account;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * GET /v1/jobs/{id}/events: opens streams, counts them, and closes them all when the gateway
 * closes.
 */
public final class EventStreams implements AutoCloseable {
  private static final Duration TOO_MANY_RETRY = Duration.ofSeconds(10);
  private static final int SEQ_DIGITS_MAX = 18;

  private final GatewayConfig config;
  private final GatewayParts parts;
  private final BlockingCalls calls;
  private final JobJson json;
  private final Set<EventStream> open = ConcurrentHashMap.newKeySet();
  private final Map<String, Integer> perUser = new HashMap<>();
  private boolean closed;

  public EventStreams(GatewayConfig config, GatewayParts parts, BlockingCalls calls, JobJson json) {
    this.config = config;
    this.parts = parts;
    this.calls = calls;
    this.json = json;
  }

  /** Handler; answers {@link Reply.Taken} once the stream has its own thread. */
  public Future<Reply> follow(RoutingContext context, Account account) {
    JobId id = JobsApi.id(context);
    Queries.of(context, List.of());
    HttpServerRequest request = context.request();
    long after = lastEventId(request);
    Context eventLoop = parts.vertx().getOrCreateContext();
    return calls
        .run(() -> JobsApi.own(parts.jobs(), account, id))
        .compose(job -> start(request, eventLoop, account, job, after));
  }

  private Future<Reply> start(
      HttpServerRequest request, Context eventLoop, Account account, Job job, long after) {
    if (after > job.lastSeq()) {
      throw new RequestException(
          400,
          "stream.last_event_id",
          "Last-Event-ID",
          "This job has events up to " + job.lastSeq() + "; " + after + " is not one of them.");
    }
    if (job.state().terminal() && after == job.lastSeq()) {
      // 204 is the answer that makes an EventSource stop reconnecting.
      return Future.succeededFuture(new Reply.Empty(204, Map.of()));
    }
    if (request.method().equals(HttpMethod.HEAD)) {
      return Future.succeededFuture(
          new Reply.Empty(200, Map.of("Content-Type", SseFormat.CONTENT_TYPE)));
    }
    enter(account.userId());
    EventStream stream =
        new EventStream(
            config,
            parts,
            json,
            eventLoop,
            request,
            job,
            after,
            done -> leave(done, account.userId()));
    open.add(stream);
    return stream.start();
  }

  /** Streams that are open now. */
  public int openStreams() {
    return open.size();
  }

  private synchronized void enter(String user) {
    int mine = perUser.getOrDefault(user, 0);
    if (closed || open.size() >= config.streams().most() || mine >= config.streams().perUserMax()) {
      throw new LimitException(
          "stream.too_many",
          "Too many event streams are open; at most "
              + config.streams().perUserMax()
              + " per user. Close some.",
          TOO_MANY_RETRY);
    }
    perUser.put(user, mine + 1);
  }

  private synchronized void leave(EventStream stream, String user) {
    if (open.remove(stream)) {
      perUser.computeIfPresent(user, (name, count) -> count > 1 ? count - 1 : null);
    }
  }

  private static long lastEventId(HttpServerRequest request) {
    List<String> values = request.headers().getAll("Last-Event-ID");
    if (values.isEmpty() || values.getFirst().isBlank()) {
      return 0;
    }
    String value = values.getFirst().strip();
    if (values.size() > 1 || !value.matches("[0-9]{1," + SEQ_DIGITS_MAX + "}")) {
      throw new RequestException(
          400,
          "stream.last_event_id",
          "Last-Event-ID",
          "Last-Event-ID is the id of the last event that you have read.");
    }
    return Long.parseLong(value);
  }

  /** Hangs up on everybody; they reconnect elsewhere and miss nothing. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    open.forEach(EventStream::close);
  }
}
