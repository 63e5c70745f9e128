package dev.tintype.queue.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.PostgresWebhookOutbox;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import dev.tintype.queue.store.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** From a job's end to a receiver on this machine. */
@Timeout(120)
class WebhookSenderTest {
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final WebhookSecret SECRET =
      WebhookSecret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  private static final List<ImageRecord> IMAGES =
      List.of(new ImageRecord(0, "a".repeat(64), 8, 8, 1, 1, Optional.empty()));

  private record Call(String id, String timestamp, String signature, String path, String body) {}

  private final List<Call> calls = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger answer = new AtomicInteger(204);
  private TestDatabase db;
  private PostgresWebhookOutbox outbox;
  private HttpServer receiver;
  private String url;

  @BeforeEach
  void open() throws IOException {
    db = TestDatabase.create();
    outbox = new PostgresWebhookOutbox(db.database);
    receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.createContext("/", this::receive);
    receiver.start();
    url = "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook?a=b%20c";
  }

  @AfterEach
  void close() {
    receiver.stop(0);
    db.close();
  }

  private void receive(HttpExchange exchange) throws IOException {
    calls.add(
        new Call(
            exchange.getRequestHeaders().getFirst("webhook-id"),
            exchange.getRequestHeaders().getFirst("webhook-timestamp"),
            exchange.getRequestHeaders().getFirst("webhook-signature"),
            exchange.getRequestURI().toString(),
            new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
    exchange.getResponseHeaders().add("Location", "/elsewhere");
    exchange.sendResponseHeaders(answer.get(), -1);
    exchange.close();
  }

  private WebhookSender sender(boolean allowPrivate) {
    return new WebhookSender(
        outbox, db.store, new SignedPost(SECRET, allowPrivate, Clock.systemUTC()), new Random(1));
  }

  private JobId submit(long seed, Optional<String> webhook) {
    SubmitRequest request =
        SubmitRequest.plain("pam", "pro", TestDatabase.spec(seed), "f" + seed, 100)
            .withWebhook(webhook);
    return ((SubmitResult.Accepted) db.store.submit(request)).job().id();
  }

  private Lease started(JobId id) {
    Lease lease = db.store.lease(id, "w", LEASE).orElseThrow();
    db.store.start(lease);
    return lease;
  }

  @Test
  void theEndOfAJobIsToldOnceSigned() throws Exception {
    JobId id = submit(1, Optional.of(url));
    submit(2, Optional.empty());
    assertThat(sender(true).round()).isZero();
    db.store.finish(started(id), IMAGES);
    assertThat(sender(true).round()).isEqualTo(1);
    assertThat(sender(true).round()).isZero();
    assertThat(calls).hasSize(1);
    Call call = calls.getFirst();
    assertThat(call.path()).isEqualTo("/hook?a=b%20c");
    assertThat(call.body())
        .contains("\"type\":\"job.succeeded\"")
        .contains("\"id\":\"" + id.value() + "\"")
        .contains("\"sha256\":\"" + "a".repeat(64))
        .doesNotContain("red sun");
    assertThat(call.signature())
        .isEqualTo(SECRET.sign(call.id(), Long.parseLong(call.timestamp()), call.body()));
  }

  @Test
  void everyKindOfEndIsTold() throws Exception {
    JobId failed = submit(1, Optional.of(url));
    JobId canceled = submit(2, Optional.of(url));
    db.store.fail(started(failed), new JobFailure("recipe.size", "Too large.", false));
    db.store.cancel("pam", canceled);
    assertThat(sender(true).round()).isEqualTo(2);
    assertThat(calls)
        .extracting(Call::body)
        .anyMatch(body -> body.contains("job.failed") && body.contains("\"code\":\"recipe.size\""))
        .anyMatch(body -> body.contains("job.canceled"));
  }

  /** What openssl dgst -sha256 -mac HMAC says of the same bytes. */
  @Test
  void theSignatureIsThatOfStandardWebhooks() {
    assertThat(SECRET.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}"))
        .isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  }

  @Test
  void whatIsNotTakenIsTriedAgainWithTheSameIdAndAtLastGivenUp() throws Exception {
    JobId id = submit(1, Optional.of(url));
    db.store.finish(started(id), IMAGES);
    answer.set(500);
    Duration ahead = Duration.ZERO;
    WebhookSender sender = sender(true);
    for (int tries = 1; tries <= WebhookSender.TRIES_MAX; tries++) {
      assertThat(sender.round()).as("try " + tries).isEqualTo(1);
      assertThat(sender.round()).as("not at once").isZero();
      ahead = ahead.plusHours(30);
      db.clockAhead(ahead);
    }
    assertThat(sender(true).round()).isZero();
    assertThat(calls).hasSize(WebhookSender.TRIES_MAX);
    assertThat(calls.stream().map(Call::id).distinct()).hasSize(1);
    long failed = WebhookSender.TRIES_MAX - 1;
    assertThat(sender.counts().byOutcome())
        .isEqualTo(Map.of("taken", 0L, "failed", failed, "given_up", 1L));
  }

  @Test
  void aRedirectIsNotFollowedAndAReceiverThatIsGoneIsLeftAlone() throws Exception {
    answer.set(302);
    db.store.finish(started(submit(1, Optional.of(url))), IMAGES);
    sender(true).round();
    assertThat(calls).hasSize(1);
    answer.set(410);
    db.clockAhead(Duration.ofHours(1));
    sender(true).round();
    db.clockAhead(Duration.ofDays(9));
    assertThat(sender(true).round()).isZero();
    assertThat(calls).hasSize(2);
  }

  @Test
  void anAddressOfThisMachineIsNotCalled() throws Exception {
    String byName = url.replace("127.0.0.1", "localhost");
    db.store.finish(started(submit(1, Optional.of(byName))), IMAGES);
    assertThat(sender(false).round()).isEqualTo(1);
    assertThat(calls).isEmpty();
  }

  @Test
  void oneUserHasNoMoreThanHisPartOfABatch() throws Exception {
    for (int i = 0; i < 10; i++) {
      db.store.finish(started(submit(i, Optional.of(url))), IMAGES);
    }
    assertThat(sender(true).round()).isEqualTo(PostgresWebhookOutbox.PER_USER_MAX);
  }

  @Test
  void aSenderThatDiesLeavesItToOthers() {
    db.store.finish(started(submit(1, Optional.of(url))), IMAGES);
    assertThat(outbox.claim(10, WebhookSender.CLAIM_TIME)).hasSize(1);
    assertThat(outbox.claim(10, WebhookSender.CLAIM_TIME)).isEmpty();
    db.clockAhead(WebhookSender.CLAIM_TIME.plusSeconds(1));
    assertThat(outbox.claim(10, WebhookSender.CLAIM_TIME).getFirst().tries()).isEqualTo(2);
  }

  @Test
  void aReceiverThatDripsIsGivenUpAtTheDeadline() throws Exception {
    SignedPost post = new SignedPost(SECRET, true, Duration.ofMillis(300), Clock.systemUTC());
    try (ServerSocket dripping = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> drip(dripping));
      URI there = URI.create("http://127.0.0.1:" + dripping.getLocalPort() + "/");
      assertThat(post.send(there, "msg_1", "{}"))
          .isInstanceOfSatisfying(
              SignedPost.Answer.Failed.class,
              failed -> assertThat(failed.why()).contains("no answer within 300 ms"));
    }
  }

  /** A byte now and then, for as long as somebody listens. */
  private static void drip(ServerSocket server) {
    try (Socket socket = server.accept()) {
      while (true) {
        socket.getOutputStream().write('H');
        socket.getOutputStream().flush();
        Thread.sleep(20);
      }
    } catch (IOException | InterruptedException e) {
      // The sender hung up.
    }
  }
}
