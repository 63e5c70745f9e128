package dev.tintype.gateway.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.JobStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MetricsApiTest {
  private final Platform platform = Platform.shared();
  private final AtomicInteger asked = new AtomicInteger();

  private interface Load {
    Object get() throws Exception;
  }

  /** The page over a store of which only the load is asked. */
  private MetricsApi metrics(Load load, Duration time) {
    JobStore store =
        (JobStore)
            Proxy.newProxyInstance(
                JobStore.class.getClassLoader(),
                new Class<?>[] {JobStore.class},
                (proxy, method, arguments) -> {
                  assertThat(method.getName()).isEqualTo("load");
                  asked.incrementAndGet();
                  return load.get();
                });
    BlockingCalls calls = new BlockingCalls(platform.parts(store).vertx(), 4, 4, time);
    return new MetricsApi(platform.parts(store), calls, new SubmitMetrics(), () -> 0);
  }

  private static String text(Future<Reply> reply) {
    Reply.Body body = (Reply.Body) reply.toCompletionStage().toCompletableFuture().join();
    return new String(body.bytes(), StandardCharsets.UTF_8);
  }

  @Test
  void allWhoAskMeanwhileShareOneQuestion() {
    CountDownLatch answer = new CountDownLatch(1);
    MetricsApi metrics =
        metrics(
            () -> {
              answer.await();
              return List.of();
            },
            Duration.ofSeconds(30));
    List<Future<Reply>> replies = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      replies.add(metrics.scrape());
    }
    answer.countDown();
    replies.forEach(reply -> assertThat(text(reply)).contains("\ntintype_store_up 1\n"));
    assertThat(asked).hasValue(1);
  }

  @Test
  void aStoreThatIsAwayOrSilentIsShownAndAskedAgain() {
    MetricsApi away =
        metrics(
            () -> {
              throw new QueueException.Unavailable("store.unavailable", "away", null);
            },
            Duration.ofSeconds(30));
    assertThat(text(away.scrape())).contains("\ntintype_store_up 0\n");
    CountDownLatch never = new CountDownLatch(1);
    MetricsApi silent =
        metrics(
            () -> {
              never.await();
              return List.of();
            },
            Duration.ofMillis(20));
    assertThat(text(silent.scrape())).contains("\ntintype_store_up 0\n");
    never.countDown();
  }

  @Test
  void aDefectIsNoStoreThatIsAway() {
    MetricsApi metrics =
        metrics(
            () -> {
              throw new IllegalStateException("a defect");
            },
            Duration.ofSeconds(30));
    for (int i = 1; i <= 2; i++) {
      Future<Reply> reply = metrics.scrape();
      assertThatThrownBy(() -> reply.toCompletionStage().toCompletableFuture().join())
          .hasRootCauseMessage("a defect");
      assertThat(asked).hasValue(i);
    }
  }

  private static final ProcessMetric COUNTER =
      new ProcessMetric(
          "test_things_total", "Things.", "outcome", () -> Map.of("good", 3, "bad", 1.5));

  private static final ProcessMetric BROKEN =
      new ProcessMetric(
          "test_broken",
          "Cannot be told.",
          () -> {
            throw new QueueException.Unavailable("store.unavailable", "away", null);
          });

  @Test
  void whatOtherPartsCountIsOnThePageAndWhatCannotBeToldIsNot() {
    platform.metrics.addAll(List.of(COUNTER, BROKEN));
    String page = text(metrics(() -> List.of(), Duration.ofSeconds(30)).scrape());
    assertThat(page)
        .contains("# TYPE test_things_total counter\n")
        .contains("test_things_total{outcome=\"bad\"} 1.50000\n")
        .contains("test_things_total{outcome=\"good\"} 3\n")
        .doesNotContain("\ntest_broken");
  }

  @Test
  void aProcessWithoutAGatewayHasAPageToo() throws Exception {
    Vertx vertx = platform.parts(platform.jobs).vertx();
    Router router = Router.router(vertx);
    new ProcessPage(vertx, "/docs", List.of(COUNTER), Clock.systemUTC(), new Random())
        .mount(router);
    HttpServer server =
        vertx
            .createHttpServer()
            .requestHandler(router)
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .get(30, TimeUnit.SECONDS);
    try {
      Client client = new Client(server.actualPort(), "");
      assertThat(client.get("/metrics").text())
          .contains("test_things_total{outcome=\"good\"} 3\n")
          .contains("jvm_heap_used_bytes");
      assertThat(client.get("/healthz").status()).isEqualTo(200);
    } finally {
      server.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }
  }
}
