package dev.tintype.gateway;

import dev.tintype.gateway.admin.AccountsApi;
import dev.tintype.gateway.admin.AdminApi;
import dev.tintype.gateway.admin.FleetApi;
import dev.tintype.gateway.admin.PicturesAdmin;
import dev.tintype.gateway.auth.Authenticator;
import dev.tintype.gateway.auth.RateLimiter;
import dev.tintype.gateway.events.EventStreams;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.BodyReader;
import dev.tintype.gateway.http.Endpoint;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.PathNames;
import dev.tintype.gateway.http.Problems;
import dev.tintype.gateway.http.Readiness;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.http.RequestIds;
import dev.tintype.gateway.images.ImagesApi;
import dev.tintype.gateway.jobs.JobJson;
import dev.tintype.gateway.jobs.JobsApi;
import dev.tintype.gateway.metrics.MetricsApi;
import dev.tintype.gateway.metrics.SubmitMetrics;
import dev.tintype.gateway.problem.GatewayException;
import dev.tintype.gateway.problem.GatewayException.ForbiddenException;
import dev.tintype.gateway.problem.GatewayException.NotFoundException;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.gateway.studio.Asset;
import dev.tintype.gateway.studio.Studio;
import dev.tintype.queue.store.Account;
import io.vertx.core.Future;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.HexFormat;
import java.util.Map;

/**
 * The gateway. The owner of the HTTP server makes a router, lets this class {@link #mount} its
 * paths on it, and hands {@link #refuseUnreadable} to {@code HttpServer.invalidRequestHandler}:
 *
 * <pre>{@code
 * Gateway gateway = new Gateway(GatewayConfig.defaults(), parts);
 * gateway.mount(router);
 * vertx.createHttpServer(options).invalidRequestHandler(gateway::refuseUnreadable).requestHandler(router).listen();
 * }</pre>
 *
 * <p>Paths: {@code /}, {@code /studio/*}, {@code /v1/*}, {@code /metrics}, {@code /healthz}, {@code
 * /readyz}, {@code /openapi.json}, {@code /docs/errors.md}. Other rooms may mount theirs beside
 * them, before or after; whatever nobody answers becomes a problem+json.
 */
public final class Gateway implements AutoCloseable {
  /** A handler for somebody whose key was verified. */
  @FunctionalInterface
  private interface Authorized {
    Future<Reply> perform(RoutingContext context, Account account);
  }

  private final GatewayConfig config;
  private final GatewayParts parts;
  private final BlockingCalls calls;
  private final Problems problems;
  private final RequestIds ids;
  private final Authenticator authenticator;
  private final RateLimiter requests;
  private final JobsApi jobs;
  private final ImagesApi images;
  private final EventStreams streams;
  private final AdminApi admins;
  private final FleetApi fleet;
  private final AccountsApi accounts;
  private final PicturesAdmin pictures;
  private final MetricsApi metrics;
  private final Readiness readiness;

  public Gateway(GatewayConfig config, GatewayParts parts) {
    this.config = config;
    this.parts = parts;
    calls =
        new BlockingCalls(
            parts.vertx(),
            config.storeCalls().most(),
            config.storeCalls().waitingMax(),
            config.storeCalls().time());
    problems = new Problems(parts.vertx(), config.errorDocs());
    ids = new RequestIds(parts.random());
    authenticator =
        new Authenticator(parts.accounts(), calls, parts.clock(), config.keyCacheTime());
    requests =
        new RateLimiter(
            "rate.requests",
            "requests",
            config.rates().requestsPerSecond(),
            config.rates().requestsBurst(),
            parts.limits(),
            calls);
    RateLimiter submits =
        new RateLimiter(
            "rate.submits",
            "new jobs",
            config.rates().submitsPerSecond(),
            config.rates().submitsBurst(),
            parts.limits(),
            calls);
    JobJson json = new JobJson(parts.links());
    BodyReader bodies =
        new BodyReader(parts.vertx(), config.bodies().bytesMax(), config.bodies().time());
    SubmitMetrics submitMetrics = new SubmitMetrics();
    jobs = new JobsApi(parts, calls, bodies, submits, json, submitMetrics, config.admission());
    images = new ImagesApi(parts, submits);
    streams = new EventStreams(config, parts, calls, json);
    admins = new AdminApi(parts, calls, json);
    fleet = new FleetApi(parts, calls);
    accounts = new AccountsApi(parts, calls, bodies);
    pictures = new PicturesAdmin(parts);
    metrics = new MetricsApi(parts, calls, submitMetrics, streams::openStreams);
    readiness = new Readiness(parts.vertx(), parts.jobs(), parts.clock());
  }

  /** Adds the gateway's routes and the router's error handlers. Call once. */
  public void mount(Router router) {
    endpoint("/v1/jobs")
        .on(HttpMethod.GET, authorized(jobs::list))
        .on(HttpMethod.POST, authorized(jobs::submit))
        .mount(router);
    endpoint("/v1/jobs/:id")
        .on(HttpMethod.GET, authorized(jobs::get))
        .on(HttpMethod.DELETE, authorized(jobs::cancel))
        .mount(router);
    endpoint("/v1/jobs/:id/events").on(HttpMethod.GET, authorized(streams::follow)).mount(router);
    endpoint("/v1/images").on(HttpMethod.POST, authorized(images::upload)).mount(router);
    endpoint("/v1/models").on(HttpMethod.GET, authorized(jobs::models)).mount(router);
    endpoint("/v1/admin/queue").on(HttpMethod.GET, admin(admins::queue)).mount(router);
    endpoint("/v1/admin/scale").on(HttpMethod.GET, admin(fleet::scale)).mount(router);
    endpoint("/v1/admin/workers").on(HttpMethod.GET, admin(fleet::workers)).mount(router);
    endpoint("/v1/admin/dead").on(HttpMethod.GET, admin(admins::dead)).mount(router);
    endpoint("/v1/admin/dead/:id")
        .on(HttpMethod.GET, admin(admins::deadJob))
        .on(HttpMethod.DELETE, admin(admins::purge))
        .mount(router);
    endpoint("/v1/admin/dead/:id/redrive")
        .on(HttpMethod.POST, admin(admins::redrive))
        .mount(router);
    endpoint("/v1/admin/users")
        .on(HttpMethod.GET, admin(accounts::users))
        .on(HttpMethod.POST, admin(accounts::create))
        .mount(router);
    endpoint("/v1/admin/users/:user")
        .on(HttpMethod.GET, admin(accounts::get))
        .on(HttpMethod.PATCH, admin(accounts::change))
        .mount(router);
    endpoint("/v1/admin/users/:user/keys")
        .on(HttpMethod.POST, admin(accounts::createKey))
        .mount(router);
    endpoint("/v1/admin/users/:user/keys/:key")
        .on(HttpMethod.DELETE, admin(accounts::revokeKey))
        .mount(router);
    endpoint("/v1/admin/tiers/:tier").on(HttpMethod.PUT, admin(accounts::putTier)).mount(router);
    endpoint("/v1/admin/images/:sha256")
        .on(HttpMethod.DELETE, admin(pictures::purge))
        .mount(router);
    endpoint("/v1/admin/users/:user/images")
        .on(HttpMethod.DELETE, admin(pictures::purgeUser))
        .mount(router);
    endpoint("/metrics").on(HttpMethod.GET, context -> metrics.scrape()).mount(router);
    endpoint("/healthz").on(HttpMethod.GET, context -> health()).mount(router);
    endpoint("/readyz").on(HttpMethod.GET, context -> ready()).mount(router);
    asset(
        router,
        "/openapi.json",
        Asset.load(Gateway.class, "openapi.json", "application/json", Map.of()));
    asset(
        router,
        "/docs/errors.md",
        Asset.load(Gateway.class, "errors.md", "text/markdown; charset=utf-8", Map.of()));
    new Studio(config.imageOrigin()).assets().forEach((path, file) -> asset(router, path, file));
    for (int status : new int[] {400, 404, 405, 406, 413, 415, 500}) {
      router.errorHandler(
          status,
          context ->
              problems.answer(context.request(), ids.attach(context), cause(context, status)));
    }
  }

  /**
   * For requests that Vert.x cannot even read: a URL or headers too long, bytes that are no HTTP.
   */
  public void refuseUnreadable(HttpServerRequest request) {
    String id = HexFormat.of().toHexDigits(parts.random().nextLong());
    request.response().putHeader("X-Request-Id", id);
    problems.answer(
        request,
        id,
        new RequestException(
            400,
            "request.unreadable",
            "This is not an HTTP request that can be read: its URL or headers are too long or"
                + " broken."));
  }

  /** Event streams that are open now, for health and tests. */
  public int openStreams() {
    return streams.openStreams();
  }

  /** Hangs up on event streams. The parts stay open: they belong to the caller. */
  @Override
  public void close() {
    streams.close();
  }

  private Endpoint endpoint(String path) {
    return new Endpoint(problems, ids, path);
  }

  private void asset(Router router, String path, Asset asset) {
    endpoint(path)
        .on(HttpMethod.GET, context -> Future.succeededFuture(asset.reply(context.request())))
        .mount(router);
  }

  private Endpoint.Action authorized(Authorized action) {
    return context ->
        authenticator
            .account(context.request())
            .compose(
                account ->
                    requests
                        .admit(account.userId())
                        .compose(admitted -> action.perform(context, account)));
  }

  private Endpoint.Action admin(Authorized action) {
    return authorized(
        (context, account) -> {
          if (!account.admin()) {
            throw new ForbiddenException("auth.admin", "This needs the key of an admin.");
          }
          return action.perform(context, account);
        });
  }

  private Future<Reply> health() {
    return Future.succeededFuture(Reply.json(200, Json.object().put("status", "ok")));
  }

  private Future<Reply> ready() {
    return readiness
        .check()
        .map(
            yes ->
                Reply.json(
                    200,
                    Json.object()
                        .put("status", "ready")
                        .put("models", parts.models().models().size())));
  }

  /** What the router gave up on, as one of our own refusals. */
  private static Throwable cause(RoutingContext context, int status) {
    HttpServerRequest request = context.request();
    String path = PathNames.safe(request.path() == null ? "" : request.path());
    return switch (context.failure()) {
      case GatewayException known -> known;
      case null, default ->
          switch (status) {
            case 404 ->
                new NotFoundException(
                    "request.path",
                    "There is nothing at " + path + ". The API is described at /openapi.json.");
            case 400 ->
                new RequestException(400, "request.url", "The URL of this request is broken.");
            case 405 ->
                new RequestException(
                    405,
                    "request.method",
                    PathNames.safe(request.method().name()) + " is not possible here.");
            case 413 -> new RequestException(413, "body.too_large", "The body is too large.");
            case 406, 415 ->
                new RequestException(
                    status, "request.content_type", "This path does not know this media type.");
            default ->
                context.failure() == null
                    ? new IllegalStateException("status " + status)
                    : context.failure();
          };
    };
  }
}
