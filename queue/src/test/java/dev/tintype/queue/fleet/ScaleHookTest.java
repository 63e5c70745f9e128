package dev.tintype.queue.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.tintype.queue.MovableClock;
import dev.tintype.queue.store.FleetLock;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.TestDatabase;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.webhook.SignedPost;
import dev.tintype.queue.webhook.WebhookSecret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** From the queue in PostgreSQL to an autoscaler on this machine. */
@Timeout(120)
class ScaleHookTest {
  private static final WebhookSecret SECRET =
      WebhookSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

  private record Call(String id, String signature, String body) {}

  private final List<Call> calls = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger answer = new AtomicInteger(204);
  private final MovableClock clock = new MovableClock();
  private TestDatabase db;
  private HttpServer autoscaler;
  private int seed;

  @BeforeEach
  void open() throws IOException {
    db = TestDatabase.create();
    autoscaler = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    autoscaler.createContext("/", this::receive);
    autoscaler.start();
  }

  @AfterEach
  void close() {
    autoscaler.stop(0);
    db.close();
  }

  private void receive(HttpExchange exchange) throws IOException {
    calls.add(
        new Call(
            exchange.getRequestHeaders().getFirst("webhook-id"),
            exchange.getRequestHeaders().getFirst("webhook-signature"),
            new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
    exchange.sendResponseHeaders(answer.get(), -1);
    exchange.close();
  }

  private ScaleHook hook() {
    URI url = URI.create("http://localhost:" + autoscaler.getAddress().getPort() + "/scale");
    return new ScaleHook(
        ScalePolicy.DEFAULT,
        new ScaleHook.Settings(url, ScaleHook.Settings.DOWN_AFTER, ScaleHook.Settings.REPEAT),
        new ScaleHook.Sources(
            db.store::load, db.accounts::tiers, FleetView.UNKNOWN, Set.of("tintype-mini")),
        new FleetLock(db.database, ScaleHook.TASK),
        new SignedPost(SECRET, true, clock),
        clock,
        clock,
        new Random(1));
  }

  private void submit(String tier, long costMs) {
    seed++;
    db.store.submit(SubmitRequest.plain("pam", tier, TestDatabase.spec(seed), "f" + seed, costMs));
  }

  private JsonNode told(int call) {
    try {
      return new ObjectMapper().readTree(calls.get(call).body()).path("data");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatIsWantedIsToldWhenItChangesSigned() {
    try (ScaleHook hook = hook()) {
      hook.round();
      assertThat(told(0).path("wanted").get(0).path("wanted").asInt()).isEqualTo(1);
      submit("pro", 240_000);
      submit("free", 60_001);
      hook.round();
      hook.round();
      assertThat(calls).hasSize(2);
      JsonNode one = told(1).path("wanted").get(0);
      assertThat(one.path("model").asText()).isEqualTo("tintype-mini");
      assertThat(one.path("pool").asText()).isEqualTo(Tier.SHARED);
      assertThat(one.path("wanted").asInt()).isEqualTo(6);
      assertThat(one.path("backlog_gpu_s").path("pro").asDouble()).isEqualTo(240);
      assertThat(one.path("backlog_gpu_s").path("free").asDouble()).isEqualTo(60.001);
      assertThat(calls).extracting(Call::signature).allMatch(text -> text.startsWith("v1,"));
      assertThat(calls.stream().map(Call::id).distinct()).hasSize(2);
    }
  }

  @Test
  void workOfATierWithAPoolIsToldApart() {
    Tier pro =
        db.accounts.tiers().stream().filter(t -> t.name().equals("pro")).findFirst().orElseThrow();
    db.administration.putTier(pro.inPool("gold", false));
    submit("pro", 120_000);
    try (ScaleHook hook = hook()) {
      hook.round();
    }
    assertThat(told(0).path("wanted").findValuesAsText("pool")).containsExactly("gold", "shared");
    assertThat(told(0).path("wanted").findValuesAsText("wanted")).containsExactly("2", "1");
  }

  @Test
  void whatIsNotTakenIsTriedAgainLaterWithTheSameId() {
    try (ScaleHook hook = hook()) {
      answer.set(500);
      for (int i = 0; i < 3; i++) {
        hook.round();
        hook.round();
        assertThat(calls).as("not at once").hasSize(i + 1);
        clock.advance(ScaleHook.RETRY_MAX);
      }
      answer.set(204);
      hook.round();
      hook.round();
      assertThat(calls).hasSize(4);
      assertThat(calls.stream().map(Call::id).distinct()).hasSize(1);
      assertThat(hook.counts()).containsEntry("failed", 3L).containsEntry("taken", 1L);
    }
  }

  @Test
  void oneOfSeveralSpeaksAndAnotherWhenItIsGone() {
    try (ScaleHook second = hook()) {
      try (ScaleHook first = hook()) {
        first.round();
        second.round();
        assertThat(calls).hasSize(1);
      }
      // The server may need a moment to see that the connection of the first is closed.
      while (calls.size() < 2) {
        second.round();
        Thread.onSpinWait();
      }
    }
    assertThat(calls).hasSize(2);
  }
}
