package dev.tintype.gateway.metrics;

import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.Endpoint;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Problems;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.http.RequestIds;
import dev.tintype.gateway.http.SharedAnswer;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * {@code /metrics} and {@code /healthz} of a process without a gateway, such as a worker or a
 * relay: its own counts and the JVM's. What all share is on the gateways' page.
 */
public final class ProcessPage {
  private static final Duration TIME = Duration.ofSeconds(5);

  private final Problems problems;
  private final RequestIds ids;
  private final SharedAnswer<byte[]> page;

  /**
   * @param errorDocs URL that the types of problems begin with
   * @param metrics those that the process has by the time that somebody asks
   */
  public ProcessPage(
      Vertx vertx,
      String errorDocs,
      List<ProcessMetric> metrics,
      Clock clock,
      RandomGenerator random) {
    this.problems = new Problems(vertx, errorDocs);
    this.ids = new RequestIds(random);
    BlockingCalls calls = new BlockingCalls(vertx, 1, 4, TIME);
    this.page =
        new SharedAnswer<>(
            vertx,
            clock,
            MetricsApi.FRESH_MS,
            () ->
                calls
                    .run(() -> metrics.stream().map(ProcessMetric::look).toList())
                    .map(ProcessPage::write));
  }

  /** Adds the routes. */
  public void mount(Router router) {
    new Endpoint(problems, ids, "/metrics")
        .on(
            HttpMethod.GET,
            context ->
                page.get()
                    .map(bytes -> new Reply.Body(200, Exposition.CONTENT_TYPE, bytes, Map.of())))
        .mount(router);
    new Endpoint(problems, ids, "/healthz")
        .on(
            HttpMethod.GET,
            context -> Future.succeededFuture(Reply.json(200, Json.object().put("status", "ok"))))
        .mount(router);
  }

  private static byte[] write(List<ProcessMetric.Seen> seen) {
    Exposition page = new Exposition();
    seen.forEach(one -> one.write(page));
    MetricsApi.runtime(page);
    return page.toString().getBytes(StandardCharsets.UTF_8);
  }
}
