package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.EventReader;
import dev.tintype.gateway.testing.EventReader.Event;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.TestWorker;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Event streams over real sockets. */
@Timeout(60)
class EventStreamHttpTest {
  private static final Platform PLATFORM = Platform.shared();
  private static Platform.Server server;

  private Platform.User user;
  private Client client;

  @BeforeAll
  static void open() {
    server =
        PLATFORM.serve(
            GatewayConfig.defaults()
                .withStreams(
                    new GatewayConfig.Streams(
                        20,
                        4,
                        Duration.ofMillis(200),
                        Duration.ofMillis(500),
                        Duration.ofMinutes(10))));
  }

  @AfterAll
  static void close() {
    server.close();
  }

  @BeforeEach
  void user() {
    user = PLATFORM.user("standard");
    client = server.client(user);
  }

  private static List<Long> ids(List<Event> events) {
    return events.stream().map(Event::id).toList();
  }

  private static List<Long> upTo(long last) {
    return LongStream.rangeClosed(1, last).boxed().toList();
  }

  @Test
  void aClientSeesTheWholeLifeLiveAndTheStreamEnds() {
    String id = client.submitted("{\"prompt\": \"a --steps 3\"}");
    List<Event> seen = new ArrayList<>();
    try (EventReader stream = client.events(id, 0)) {
      assertThat(stream.response.statusCode()).isEqualTo(200);
      assertThat(stream.response.headers().firstValue("Content-Type"))
          .hasValue("text/event-stream");
      assertThat(stream.response.headers().firstValue("Cache-Control")).hasValue("no-store");
      seen.add(stream.next().orElseThrow());
      TestWorker worker = TestWorker.take(PLATFORM.jobs, id);
      seen.add(stream.next().orElseThrow());
      seen.add(stream.next().orElseThrow());
      for (int step = 1; step <= 3; step++) {
        worker.progress(step);
        seen.add(stream.next().orElseThrow());
      }
      worker.finish();
      seen.addAll(stream.rest());
      assertThat(stream.retries).containsExactly("2000");
    }
    assertThat(seen.stream().map(Event::type))
        .startsWith("queued", "leased", "started", "progress", "progress", "progress")
        .endsWith("succeeded");
    assertThat(ids(seen)).isEqualTo(upTo(seen.size()));
    assertThat(seen.get(5).data().path("step").asInt()).isEqualTo(3);
    assertThat(seen.get(5).data().path("type").asText()).isEqualTo("progress");
    Event last = seen.getLast();
    assertThat(last.data().path("images").get(0).path("urls").path("webp").asText())
        .startsWith("/i/");
  }

  @Test
  void whereverAClientReconnectsNothingIsMissedOrDoubled() {
    Random random = new Random(42);
    String id = client.submitted("{\"prompt\": \"a --steps 60\"}");
    Thread work =
        Thread.ofVirtual()
            .start(
                () -> {
                  TestWorker worker = TestWorker.take(PLATFORM.jobs, id);
                  for (int step = 1; step <= 60; step++) {
                    worker.progress(step);
                  }
                  worker.finish();
                });
    List<Event> seen = new ArrayList<>();
    int connections = 0;
    while (seen.isEmpty() || !seen.getLast().type().equals("succeeded")) {
      try (EventReader stream = client.events(id, seen.isEmpty() ? 0 : seen.getLast().id())) {
        connections++;
        int take = 1 + random.nextInt(8);
        for (int i = 0; i < take; i++) {
          seen.add(stream.next().orElseThrow());
          if (seen.getLast().type().equals("succeeded")) {
            break;
          }
        }
      }
    }
    assertThat(connections).isGreaterThan(5);
    assertThat(ids(seen)).isEqualTo(upTo(seen.size()));
    assertThat(work.isAlive() ? joined(work) : true).isTrue();
  }

  private static boolean joined(Thread thread) {
    try {
      return thread.join(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void afterTheEndAReplayIsWholeAndTheLastIdGetsNothing() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    TestWorker.take(PLATFORM.jobs, id).progress(1).fail("model.broken", "It broke.");
    List<Event> all;
    try (EventReader stream = client.events(id, 0)) {
      all = stream.rest();
    }
    assertThat(ids(all)).isEqualTo(upTo(all.size()));
    assertThat(all.getLast().type()).isEqualTo("failed");
    assertThat(all.getLast().data().path("code").asText()).isEqualTo("model.broken");
    try (EventReader stream = client.events(id, all.size() - 2)) {
      assertThat(ids(stream.rest())).containsExactly(all.size() - 1L, (long) all.size());
    }
    try (EventReader stream = client.events(id, all.size())) {
      assertThat(stream.response.statusCode()).isEqualTo(204);
    }
  }

  @Test
  void silenceIsFilledWithComments() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    try (EventReader stream = client.events(id, 0)) {
      assertThat(stream.next().orElseThrow().type()).isEqualTo("queued");
      stream.awaitComment();
      client.delete("/v1/jobs/" + id);
      assertThat(stream.next().orElseThrow().type()).isEqualTo("canceled");
      assertThat(stream.next()).isEmpty();
    }
  }

  @Test
  void wrongPositionsAreRefused() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    String path = "/v1/jobs/" + id + "/events";
    for (String wrong : List.of("x", "-1", "1.0", "99", "99999999999999999999")) {
      client
          .send(client.request(path).header("Last-Event-ID", wrong))
          .refusedWith(400, "stream.last_event_id");
    }
    client.get(path + "?after=1").refusedWith(400, "request.parameter");
    assertThat(
            client
                .send(client.request(path).method("HEAD", HttpRequest.BodyPublishers.noBody()))
                .header("Content-Type"))
        .isEqualTo("text/event-stream");
  }

  @Test
  void theNumberOfStreamsOfAUserIsBoundedAndGivenBack() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    List<EventReader> open = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      open.add(client.events(id, 0));
      assertThat(open.getLast().next()).isPresent();
    }
    client.get("/v1/jobs/" + id + "/events").refusedWith(429, "stream.too_many");
    client.delete("/v1/jobs/" + id);
    open.forEach(EventReader::rest);
    awaitStreams(0);
    try (EventReader again = client.events(id, 0)) {
      assertThat(again.rest()).hasSize(2);
    }
  }

  @Test
  void aClientThatHangsUpFreesItsStream() {
    String id = client.submitted("{\"prompt\": \"a\"}");
    EventReader stream = client.events(id, 0);
    assertThat(stream.next()).isPresent();
    stream.close();
    awaitStreams(0);
  }

  @Test
  void aSlowClientIsDroppedAndMissesNothing() throws Exception {
    String id = client.submitted("{\"prompt\": \"a\"}");
    TestWorker worker = TestWorker.take(PLATFORM.jobs, id);
    int previews = 120;
    for (int i = 0; i < previews; i++) {
      worker.preview(1, 60_000);
    }
    worker.finish();
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(4_096);
      socket.connect(new java.net.InetSocketAddress("127.0.0.1", server.port));
      OutputStream out = socket.getOutputStream();
      out.write(
          ("GET /v1/jobs/"
                  + id
                  + "/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                  + user.key()
                  + "\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      assertThat(in.read()).isEqualTo('H');
      // Nobody reads on: the stream must be given up by the server, with megabytes unsent.
      awaitStreams(0);
    }
    try (EventReader stream = client.events(id, 0)) {
      List<Event> all = stream.rest();
      assertThat(ids(all)).isEqualTo(upTo(all.size()));
      assertThat(all.stream().filter(event -> event.type().equals("preview"))).hasSize(previews);
      assertThat(all.get(3).data().path("media_type").asText()).isEqualTo("image/jpeg");
    }
  }

  @Test
  void closingTheGatewayHangsUpPolitely() {
    try (Platform.Server other = PLATFORM.serve(GatewayConfig.defaults())) {
      Client friend = other.client(user);
      String id = friend.submitted("{\"prompt\": \"a\"}");
      try (EventReader stream = friend.events(id, 0)) {
        assertThat(stream.next()).isPresent();
        other.gateway.close();
        assertThat(stream.next()).isEmpty();
      }
    }
  }

  private static void awaitStreams(int count) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (server.gateway.openStreams() != count) {
      assertThat(System.nanoTime()).as("streams still open").isLessThan(deadline);
      LockSupport.parkNanos(5_000_000);
    }
  }
}
