package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.TestWorker;
import dev.tintype.queue.fleet.WorkerPresence;
import dev.tintype.queue.fleet.WorkerState;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client is told about the wait, and when its job is refused for it. */
@Timeout(120)
class AdmissionHttpTest {
  /** Of the tier enterprise, which on one GPU takes in 30 s x 0.507 x 0.8 = 12.2 GPU-seconds. */
  private static final long FULL_MS = 20_000;

  private static final String BODY = "{\"prompt\": \"a red sun\"}";

  private static Platform platform;
  private static Platform.Server bound;
  private static Platform.Server open;

  @BeforeAll
  static void open() {
    platform = Platform.own();
    bound = platform.serve(GatewayConfig.defaults().withAdmission(AdmissionRule.BOUND));
    open = platform.serve(GatewayConfig.defaults());
  }

  @AfterAll
  static void close() {
    bound.close();
    open.close();
    platform.close();
  }

  /** What a gateway knows of the queue and the workers is some seconds old. */
  private static Answer until(Client client, Predicate<Answer> done, String... headers) {
    Answer answer = client.submit(BODY, headers);
    while (!done.test(answer)) {
      LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
      answer = client.submit(BODY, headers);
    }
    return answer;
  }

  private static WorkerStatus worker(String model) {
    return new WorkerStatus(
        "w#1",
        "rack-7",
        "paper",
        2_000,
        500,
        new TreeSet<>(List.of(model)),
        new TreeSet<>(List.of(model)),
        3,
        2,
        4,
        WorkerState.READY,
        "0.1",
        Tier.SHARED);
  }

  @Test
  void aJobThatMightBeLateIsRefusedOrToldHowLongItWaits() {
    Platform.User user = platform.user("enterprise");
    Client strict = bound.client(user);
    Client lenient = open.client(user);
    Answer unserved = strict.submit(BODY, "Idempotency-Key", "k").refusedWith(429, "queue.bound");
    assertThat(unserved.header("Retry-After")).isEqualTo("30");
    Answer unknown = lenient.submit(BODY);
    assertThat(unknown.status()).isEqualTo(202);
    assertThat(unknown.json().path("queue").path("expected_wait_ms").isNull()).isTrue();
    String model = unknown.json().path("recipe").path("model").asText();

    try (WorkerPresence there =
        new WorkerPresence(platform.fleet, "w#1", () -> worker(model), Duration.ofMinutes(1))
            .start()) {
      Answer first = until(strict, answer -> answer.status() == 202, "Idempotency-Key", "k");
      String id = first.json().path("id").asText();
      assertThat(first.json().path("queue").path("expected_wait_ms").isIntegralNumber()).isTrue();

      JobSpec spec = JobSpec.builder(model, "huge").build();
      platform.jobs.submit(SubmitRequest.plain(user.id(), "enterprise", spec, "huge", FULL_MS));
      Answer full = until(strict, answer -> answer.status() == 429);
      full.refusedWith(429, "queue.bound");
      // 20 s of work at 0.507 x 0.8 of a GPU.
      assertThat(full.json().path("predicted_wait_ms").asLong()).isBetween(49_000L, 60_000L);
      assertThat(Integer.parseInt(full.header("Retry-After"))).isBetween(19, 30);

      Answer again = strict.submit(BODY, "Idempotency-Key", "k");
      assertThat(again.status()).isEqualTo(202);
      assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
      assertThat(again.json().path("id").asText()).isEqualTo(id);
      assertThat(bound.client(platform.user("pro")).submit(BODY).status()).isEqualTo(202);

      Answer told =
          until(
              lenient,
              answer -> answer.json().path("queue").path("expected_wait_ms").asLong() >= FULL_MS);
      assertThat(told.status()).isEqualTo(202);
    }
  }

  @Test
  void aModeIsTakenFromTheBodyOrThePromptAndFastHasAnAllowance() {
    Answer limited =
        open.client(platform.admin())
            .send("PUT", "/v1/admin/tiers/standard", "{\"fast_gpu_seconds\": 1}");
    assertThat(limited.json().path("fast_gpu_seconds").asLong()).isEqualTo(1);
    Client client = open.client(platform.user("standard"));
    assertThat(client.submit(BODY).json().path("mode").asText()).isEqualTo("normal");
    assertThat(
            client
                .submit("{\"prompt\": \"a --relax\", \"mode\": \"fast\"}")
                .json()
                .path("mode")
                .asText())
        .isEqualTo("relax");
    client.submit("{\"prompt\": \"a\", \"mode\": \"turbo\"}").refusedWith(422, "field.range");

    Answer fast = client.submit("{\"prompt\": \"a\", \"mode\": \"fast\"}");
    assertThat(fast.json().path("mode").asText()).isEqualTo("fast");
    assertThat(fast.json().path("notice").isNull()).isTrue();
    TestWorker.take(platform.jobs, fast.json().path("id").asText()).finish(999);

    for (int i = 0; i < 2; i++) { // The second is a replay.
      Answer usedUp = client.submit("{\"prompt\": \"a --fast\"}", "Idempotency-Key", "used-up");
      assertThat(usedUp.status()).isEqualTo(202);
      assertThat(usedUp.json().path("mode").asText()).isEqualTo("normal");
      assertThat(usedUp.json().path("notice").path("code").asText()).isEqualTo("mode.fast_used_up");
    }
    Client pro = open.client(platform.user("pro"));
    assertThat(pro.submit("{\"prompt\": \"a --fast\"}").json().path("mode").asText())
        .isEqualTo("fast");
  }
}
