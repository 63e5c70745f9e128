package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The database goes away under a gateway that has work to do. */
@Tag("slow")
@Timeout(120)
class StoreDownHttpTest {
  @Test
  void everyAnswerSaysToTryLaterAndTheProcessStaysHealthy() {
    try (Platform platform = Platform.own();
        Platform.Server server = platform.serve(GatewayConfig.defaults())) {
      Client client = server.client(platform.user("standard"));
      String id = client.submitted("{\"prompt\": \"a\"}");
      assertThat(client.get("/readyz").status()).isEqualTo(200);

      platform.stopDatabase();

      for (Answer answer :
          new Answer[] {
            client.submit("{\"prompt\": \"b\"}"),
            client.get("/v1/jobs/" + id),
            client.get("/v1/jobs"),
            client.delete("/v1/jobs/" + id),
            client.get("/v1/jobs/" + id + "/events"),
            readyUntil(client, 503),
            new Client(server.port, "tt_" + "x".repeat(43)).get("/v1/jobs")
          }) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(503);
        answer.refusedWith(503, answer.json().path("code").asText());
        assertThat(answer.json().path("code").asText())
            .matches("store\\.[a-z_.]+|gateway\\.timeout");
        assertThat(Integer.parseInt(answer.header("Retry-After"))).isPositive();
      }
      assertThat(client.get("/healthz").status()).isEqualTo(200);
    }
  }

  @Test
  void aReadOnlyDatabaseRefusesNewJobsShowsOldOnesAndRecoversByItself() {
    try (Platform platform = Platform.own();
        Platform.Server server = platform.serve(GatewayConfig.defaults())) {
      Client client = server.client(platform.user("pro"));
      String id = client.submitted("{\"prompt\": \"a\"}");

      platform.readOnly(true);
      // The server tells its sessions of the new setting one by one: ask until ours knows it.
      Answer refused = submitUntil(client, 503);
      refused.refusedWith(503, "store.read_only");
      assertThat(Integer.parseInt(refused.header("Retry-After"))).isPositive();
      assertThat(client.get("/v1/jobs/" + id).status()).isEqualTo(200);
      assertThat(client.get("/metrics").text()).contains("\ntintype_store_up 1\n");

      platform.readOnly(false);
      assertThat(submitUntil(client, 202).status()).isEqualTo(202);
    }
  }

  /** An answer is given again for a second. */
  private static Answer readyUntil(Client client, int status) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    Answer answer = client.get("/readyz");
    while (answer.status() != status && System.nanoTime() < deadline) {
      answer = client.get("/readyz");
    }
    return answer;
  }

  private static Answer submitUntil(Client client, int status) {
    for (int i = 0; ; i++) {
      Answer answer =
          client.submit("{\"prompt\": \"b\"}", "Idempotency-Key", "read-only-" + status + "-" + i);
      if (answer.status() == status || i == 100) {
        return answer;
      }
    }
  }
}
