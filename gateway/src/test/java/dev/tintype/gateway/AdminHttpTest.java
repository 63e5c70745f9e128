package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.TestWorker;
import dev.tintype.queue.fleet.WorkerPresence;
import dev.tintype.queue.fleet.WorkerState;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The dead-letter list, the queue by tier, and the metrics. */
@Timeout(60)
class AdminHttpTest {
  private static final Platform PLATFORM = Platform.shared();
  private static Platform.Server server;
  private static Client admin;
  private static Client user;

  @BeforeAll
  static void open() {
    server = PLATFORM.serve(GatewayConfig.defaults());
    admin = server.client(PLATFORM.admin());
    user = server.client(PLATFORM.user("standard"));
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static String buried(String prompt, String... headers) {
    String id = user.submit("{\"prompt\": \"" + prompt + "\"}", headers).json().path("id").asText();
    TestWorker.bury(PLATFORM.jobs, id);
    return id;
  }

  private static List<String> deadIds(JsonNode page) {
    return StreamSupport.stream(page.path("jobs").spliterator(), false)
        .map(one -> one.path("job").path("id").asText())
        .toList();
  }

  @Test
  void onlyAdminsGetIn() {
    String id = buried("a");
    for (Answer answer :
        List.of(
            user.get("/v1/admin/queue"),
            user.get("/v1/admin/workers"),
            user.get("/v1/admin/scale"),
            user.get("/v1/admin/dead"),
            user.get("/v1/admin/dead/" + id),
            user.delete("/v1/admin/dead/" + id),
            user.post("/v1/admin/dead/" + id + "/redrive"))) {
      answer.refusedWith(403, "auth.admin");
    }
    new Client(server.port, "").get("/v1/admin/queue").refusedWith(401, "auth.missing");
    assertThat(admin.get("/v1/admin/dead/" + id).status()).isEqualTo(200);
  }

  @Test
  void aDeadJobIsListedWithItsCauseAndDrivenAgain() {
    String id = buried("b");
    JsonNode dead = admin.get("/v1/admin/dead/" + id).json();
    assertThat(dead.path("errors").asInt()).isEqualTo(5);
    assertThat(dead.path("user").asText()).startsWith("user-");
    assertThat(dead.path("job").path("error").path("code").asText()).isEqualTo("engine.defect");
    assertThat(deadIds(admin.get("/v1/admin/dead?limit=100").json())).contains(id);

    Answer redriven = admin.post("/v1/admin/dead/" + id + "/redrive");
    assertThat(redriven.status()).isEqualTo(202);
    assertThat(redriven.json().path("state").asText()).isEqualTo("queued");
    admin.post("/v1/admin/dead/" + id + "/redrive").refusedWith(404, "job.not_dead");
    TestWorker.take(PLATFORM.jobs, id).finish();
    assertThat(user.get("/v1/jobs/" + id).json().path("state").asText()).isEqualTo("succeeded");
    admin.delete("/v1/admin/dead/" + id).refusedWith(404, "job.not_dead");
  }

  @Test
  void aPurgedJobIsForgottenWithItsKey() {
    String id = buried("c", "Idempotency-Key", "purged");
    assertThat(admin.delete("/v1/admin/dead/" + id).status()).isEqualTo(204);
    user.get("/v1/jobs/" + id).refusedWith(404, "job.not_found");
    user.get("/v1/jobs/" + id + "/events").refusedWith(404, "job.not_found");
    admin.delete("/v1/admin/dead/" + id).refusedWith(404, "job.not_dead");
    Answer again = user.submit("{\"prompt\": \"d\"}", "Idempotency-Key", "purged");
    assertThat(again.status()).isEqualTo(202);
    assertThat(again.json().path("id").asText()).isNotEqualTo(id);
  }

  @Test
  void theListGoesOnWhereItEnded() {
    String older = buried("e");
    String newer = buried("f");
    JsonNode first = admin.get("/v1/admin/dead?limit=1").json();
    assertThat(deadIds(first)).containsExactly(newer);
    JsonNode second =
        admin.get("/v1/admin/dead?limit=1&before=" + first.path("next").asText()).json();
    assertThat(deadIds(second)).containsExactly(older);
    admin.get("/v1/admin/dead?limit=0").refusedWith(400, "request.parameter");
  }

  @Test
  void theQueueIsShownByTier() {
    Client fast = server.client(PLATFORM.user("enterprise"));
    fast.submitted("{\"prompt\": \"g\"}");
    JsonNode tiers = admin.get("/v1/admin/queue").json().path("tiers");
    assertThat(tiers).hasSize(5);
    JsonNode enterprise = tiers.path(4);
    assertThat(enterprise.path("name").asText()).isEqualTo("enterprise");
    assertThat(enterprise.path("queued").asInt()).isEqualTo(1);
    assertThat(enterprise.path("backlog_gpu_s").asDouble()).isPositive();
    assertThat(enterprise.path("max_wait_s").asInt()).isEqualTo(60);
  }

  @Test
  void metricsAreWhatPrometheusReads() {
    try (Platform.Server fresh = PLATFORM.serve(GatewayConfig.defaults())) {
      Client client = fresh.client(PLATFORM.user("pro"));
      client.submitted("{\"prompt\": \"h\"}");
      Answer page = new Client(fresh.port, "").get("/metrics");
      assertThat(page.status()).isEqualTo(200);
      assertThat(page.header("Content-Type")).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
      String text = page.text();
      assertThat(text)
          .contains("\ntintype_store_up 1\n")
          .contains("\ntintype_submissions_total{outcome=\"accepted\"} 1\n")
          .contains("\ntintype_submit_seconds_bucket{le=\"+Inf\"} 1\n")
          .contains("\ntintype_submit_seconds_count 1\n")
          .containsPattern(
              "\ntintype_jobs\\{model=\"[^\"]+\",state=\"queued\",tier=\"pro\"\\} [1-9]")
          .containsPattern("\ntintype_queue_backlog_gpu_seconds\\{[^}]+\\} [0-9.]+\n")
          .contains("\njvm_heap_used_bytes ");
      assertThat(text.lines())
          .allMatch(
              line ->
                  line.matches("# (HELP|TYPE) [a-z_]+ .+")
                      || line.matches("[a-z_]+(\\{[^}]*\\})? -?[0-9.e+-]+"));
    }
  }

  @Test
  void workersAreListedAndSoAreModelsThatNobodyPaintsWith() {
    String waits = user.submitted("{\"prompt\": \"w\"}");
    String model = user.get("/v1/jobs/" + waits).json().path("recipe").path("model").asText();
    JsonNode before = admin.get("/v1/admin/workers").json();
    assertThat(before.path("known").asBoolean()).isTrue();
    assertThat(before.path("unserved").findValuesAsText("model")).contains(model);
    WorkerStatus status =
        new WorkerStatus(
            "w#1",
            "rack-7",
            "paper",
            2_000,
            500,
            new TreeSet<>(List.of(model, "spare")),
            new TreeSet<>(List.of(model)),
            3.14159,
            2,
            4,
            WorkerState.READY,
            "0.1",
            Tier.SHARED);
    try (WorkerPresence there =
        new WorkerPresence(PLATFORM.fleet, "w#1", () -> status, Duration.ofMinutes(1)).start()) {
      JsonNode page = admin.get("/v1/admin/workers").json();
      while (page.path("workers").isEmpty()) {
        LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        page = admin.get("/v1/admin/workers").json();
      }
      JsonNode worker = page.path("workers").get(0);
      assertThat(worker.path("host").asText()).isEqualTo("rack-7");
      assertThat(worker.path("state").asText()).isEqualTo("ready");
      assertThat(worker.path("free_bytes").asLong()).isEqualTo(500);
      assertThat(worker.path("resident")).hasSize(1);
      assertThat(worker.path("steps_per_second").asDouble()).isEqualTo(3.14);
      assertThat(page.path("unserved").findValuesAsText("model")).doesNotContain(model);
      String metrics = server.client(PLATFORM.admin()).get("/metrics").text();
      while (!metrics.contains("tintype_workers{state=\"ready\"} 1")) {
        LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        metrics = server.client(PLATFORM.admin()).get("/metrics").text();
      }
      assertThat(metrics)
          .contains("tintype_model_resident{model=\"spare\",pool=\"shared\"} 0")
          .contains(
              "tintype_scale_wanted_workers{kind=\"on_demand\",model=\"spare\",pool=\"shared\"} 1")
          .contains("tintype_model_workers{model=\"" + model + "\",pool=\"shared\"} 1");
    }
  }

  @Test
  void anEqualBodyJoinsTheJobUnderWay() {
    Client client = server.client(PLATFORM.user("standard"));
    String body = "{\"prompt\": \"join me\", \"seed\": 1}";
    String first = client.submitted(body);
    Answer joined = client.post("/v1/jobs?join=in_flight", body);
    assertThat(joined.status()).isEqualTo(202);
    assertThat(joined.json().path("id").asText()).isEqualTo(first);
    assertThat(joined.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(client.submitted(body)).isNotEqualTo(first);
    client.post("/v1/jobs?join=always", body).refusedWith(400, "request.parameter");
  }
}
