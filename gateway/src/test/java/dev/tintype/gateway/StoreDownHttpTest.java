package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
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
            client.get("/readyz"),
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
}
