package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.TestWorker;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A job's life as a client sees it. */
@Timeout(60)
class JobsHttpTest {
  private static final Platform PLATFORM = Platform.shared();
  private static Platform.Server server;

  private Client client;

  @BeforeAll
  static void open() {
    server = PLATFORM.serve(GatewayConfig.defaults());
  }

  @AfterAll
  static void close() {
    server.close();
  }

  @BeforeEach
  void user() {
    client = server.client(PLATFORM.user("standard"));
  }

  @Test
  void aWebhookIsCheckedWithTheJob() {
    client
        .submit("{\"prompt\": \"a\", \"webhook\": \"ftp://example.com/\"}")
        .refusedWith(422, "webhook.url");
    client
        .submit("{\"prompt\": \"a\", \"webhook\": \"http://169.254.169.254/latest\"}")
        .refusedWith(422, "webhook.private");
    Answer accepted =
        client.submit("{\"prompt\": \"a\", \"webhook\": \"https://example.com/hook\"}");
    assertThat(accepted.status()).isEqualTo(202);
    assertThat(accepted.json().path("recipe").has("webhook")).isFalse();
  }

  @Test
  void aJobIsAcceptedPaintedAndShown() {
    Answer accepted = client.submit("{\"prompt\": \"a red sun --seed 7 --images 2 --steps 4\"}");
    assertThat(accepted.status()).isEqualTo(202);
    String id = accepted.json().path("id").asText();
    assertThat(accepted.header("Location")).isEqualTo("/v1/jobs/" + id);
    assertThat(accepted.header("Idempotency-Replayed")).isNull();
    assertThat(accepted.json().path("state").asText()).isEqualTo("queued");
    assertThat(accepted.json().path("recipe").path("prompt").asText()).isEqualTo("a red sun");
    assertThat(accepted.json().path("recipe").path("seed").asLong()).isEqualTo(7);
    assertThat(accepted.json().path("queue").path("ahead").isIntegralNumber()).isTrue();

    TestWorker worker =
        TestWorker.take(PLATFORM.jobs, id).progress(1).preview(1, 10).progress(2).preview(2, 10);
    JsonNode running = client.get("/v1/jobs/" + id).json();
    assertThat(running.path("state").asText()).isEqualTo("running");
    assertThat(running.path("progress").toString()).isEqualTo("{\"step\":2,\"steps\":4}");
    assertThat(running.path("images")).isEmpty();
    assertThat(running.path("queue").isNull()).isTrue();

    assertThat(running.path("timings").path("stages_ms").isNull()).isTrue();

    worker.timings("{\"text\":5,\"steps\":70}").finish();
    JsonNode done = client.get("/v1/jobs/" + id).json();
    assertThat(done.path("state").asText()).isEqualTo("succeeded");
    assertThat(done.path("images")).hasSize(2);
    JsonNode second = done.path("images").get(1);
    assertThat(second.path("seed").asLong()).isEqualTo(8);
    assertThat(second.path("urls").path("avif").asText())
        .isEqualTo("/i/s/o/" + second.path("sha256").asText() + ".avif");
    assertThat(done.path("timings").path("total_ms").asLong())
        .isGreaterThanOrEqualTo(done.path("timings").path("running_ms").asLong());
    assertThat(done.path("timings").path("stages_ms").toString())
        .isEqualTo("{\"text\":5,\"steps\":70}");
    assertThat(done.path("error").isNull()).isTrue();
  }

  @Test
  void theRecipeOfAJobPostedAgainIsTheSameRecipe() {
    JsonNode first =
        client
            .submit("{\"prompt\": \"a \\\"quoted --ar\\\" sign --ar 3:2 --no fog, mist\"}")
            .json();
    JsonNode second = client.submit(first.path("recipe").toString()).json();
    assertThat(second.path("recipe")).isEqualTo(first.path("recipe"));
    assertThat(second.path("id")).isNotEqualTo(first.path("id"));
  }

  @Test
  void aFailureIsToldWithItsCode() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    TestWorker.take(PLATFORM.jobs, id).fail("model.broken", "The model's weights are damaged.");
    JsonNode failed = client.get("/v1/jobs/" + id).json();
    assertThat(failed.path("state").asText()).isEqualTo("failed");
    assertThat(failed.path("error").path("code").asText()).isEqualTo("model.broken");
    assertThat(failed.path("error").path("message").asText())
        .isEqualTo("The model's weights are damaged.");
  }

  @Test
  void aWaitingJobIsCanceledAtOnceAndOnlyOnce() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    Answer canceled = client.delete("/v1/jobs/" + id);
    assertThat(canceled.status()).isEqualTo(200);
    assertThat(canceled.json().path("state").asText()).isEqualTo("canceled");
    client.delete("/v1/jobs/" + id).refusedWith(409, "job.ended");
  }

  @Test
  void aRunningJobIsAskedToEnd() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    TestWorker worker = TestWorker.take(PLATFORM.jobs, id);
    Answer asked = client.delete("/v1/jobs/" + id);
    assertThat(asked.status()).isEqualTo(202);
    assertThat(asked.json().path("cancel_requested").asBoolean()).isTrue();
    assertThat(asked.json().path("state").asText()).isEqualTo("running");
    worker.cancel();
    assertThat(client.get("/v1/jobs/" + id).json().path("state").asText()).isEqualTo("canceled");
  }

  @Test
  void otherUsersSeeNothing() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    Client other = server.client(PLATFORM.user("standard"));
    other.get("/v1/jobs/" + id).refusedWith(404, "job.not_found");
    other.get("/v1/jobs/" + id + "/events").refusedWith(404, "job.not_found");
    other.delete("/v1/jobs/" + id).refusedWith(404, "job.not_found");
    assertThat(other.get("/v1/jobs").json().path("jobs")).isEmpty();
    assertThat(client.get("/v1/jobs/" + id).json().path("state").asText()).isEqualTo("queued");
  }

  @Test
  void aWaitingJobKnowsHowManyCameBefore() {
    String first = client.submitted("{\"prompt\": \"a\"}");
    long base = client.get("/v1/jobs/" + first).json().path("queue").path("ahead").asLong();
    client.submitted("{\"prompt\": \"b\"}");
    // The answer to a submission has a hint, which may be a second old.
    JsonNode third = client.submit("{\"prompt\": \"c\"}").json();
    assertThat(third.path("queue").path("ahead").asLong()).isGreaterThanOrEqualTo(2);
    String path = "/v1/jobs/" + third.path("id").asText();
    assertThat(client.get(path).json().path("queue").path("ahead").asLong()).isEqualTo(base + 2);
    TestWorker.take(PLATFORM.jobs, first);
    assertThat(client.get(path).json().path("queue").path("ahead").asLong()).isEqualTo(base + 1);
  }

  @Test
  void pagesShowAllJobsOnceNewestFirst() {
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      made.addFirst(client.submitted("{\"prompt\": \"a " + i + "\"}"));
    }
    List<String> seen = new ArrayList<>();
    String next = "";
    int pages = 0;
    do {
      JsonNode page = client.get("/v1/jobs?limit=3" + next).json();
      page.path("jobs").forEach(job -> seen.add(job.path("id").asText()));
      next = page.path("next").isNull() ? null : "&before=" + page.path("next").asText();
      pages++;
    } while (next != null);
    assertThat(seen).isEqualTo(made);
    assertThat(pages).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"3f0a0a4e-3f7b-4c55-8d3e-0d3c8f1b7a10", "\"3f0a0a4e quoted\"", "x", "!"})
  void theSameKeyAndBodyGiveTheSameJob(String key) {
    Answer first = client.submit("{\"prompt\": \"a\", \"steps\": 3}", "Idempotency-Key", key);
    Answer again = client.submit("{\"steps\": 3,  \"prompt\": \"a\"}", "Idempotency-Key", key);
    assertThat(first.status()).as(first.text()).isEqualTo(202);
    assertThat(again.status()).isEqualTo(202);
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(again.json().path("id")).isEqualTo(first.json().path("id"));
    assertThat(again.json().path("recipe")).isEqualTo(first.json().path("recipe"));
    client
        .submit("{\"prompt\": \"b\", \"steps\": 3}", "Idempotency-Key", key)
        .refusedWith(422, "idempotency.conflict");
    assertThat(client.get("/v1/jobs").json().path("jobs")).hasSize(1);
  }

  @Test
  void quotedAndBareAreTheSameKeyAndUsersDoNotShareKeys() {
    String id =
        client.submit("{\"prompt\": \"a\"}", "Idempotency-Key", "\"k\"").json().path("id").asText();
    assertThat(
            client.submit("{\"prompt\": \"a\"}", "Idempotency-Key", "k").json().path("id").asText())
        .isEqualTo(id);
    Client other = server.client(PLATFORM.user("standard"));
    assertThat(
            other.submit("{\"prompt\": \"a\"}", "Idempotency-Key", "k").json().path("id").asText())
        .isNotEqualTo(id);
  }

  @Test
  void aFullQueueOfOneUserIsTheirsAlone() {
    Platform.User free = PLATFORM.user("free");
    Client busy = server.client(free);
    int most = PLATFORM.accounts.account(free.id()).orElseThrow().tier().queuedMax();
    assertThat(most).as("small enough to fill in a test").isLessThan(90);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < most; i++) {
      ids.add(busy.submitted("{\"prompt\": \"a\"}"));
    }
    Answer full = busy.submit("{\"prompt\": \"a\"}").refusedWith(429, "queue.user_full");
    assertThat(Integer.parseInt(full.header("Retry-After"))).isPositive();
    client.submitted("{\"prompt\": \"a\"}");
    busy.delete("/v1/jobs/" + ids.getFirst());
    busy.submitted("{\"prompt\": \"a\"}");
  }

  @Test
  void modelsAreListedWithTheDefaultFirst() {
    JsonNode models = client.get("/v1/models").json().path("models");
    assertThat(models).hasSize(2);
    assertThat(models.get(0).path("name").asText()).isEqualTo("tintype-mini");
    assertThat(models.get(0).path("default").asBoolean()).isTrue();
    assertThat(models.get(1).path("default").asBoolean()).isFalse();
  }
}
