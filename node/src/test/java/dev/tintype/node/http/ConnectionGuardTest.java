package dev.tintype.node.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that cost a place, over real sockets. */
class ConnectionGuardTest {
  private static final int WAIT_MS = 60_000;
  private static final String HEAD = "GET / HTTP/1.1\r\nHost: here\r\n";

  /** More than the buffers of both ends hold; some four minutes at the least rate. */
  private static final int LARGE = 4 << 20;

  private static final String OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

  private final AtomicInteger requests = new AtomicInteger();
  private final CompletableFuture<HttpServerRequest> held = new CompletableFuture<>();
  private Vertx vertx;
  private HttpServer server;

  @BeforeEach
  void start() {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void stop() throws Exception {
    vertx.close().toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private void serve(Duration first, Duration next, Duration answer, int connectionsMax)
      throws Exception {
    HttpLimits limits =
        new HttpLimits(
            Duration.ofSeconds(10), first, next, Duration.ofMinutes(5), answer, connectionsMax);
    server = vertx.createHttpServer(limits.options("127.0.0.1", 0, Optional.empty()));
    server
        .requestHandler(new ConnectionGuard(vertx, limits).watch(server, this::answer))
        .listen()
        .toCompletionStage()
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  private void answer(HttpServerRequest request) {
    requests.incrementAndGet();
    switch (request.path()) {
      case "/stream" -> {
        request.response().setChunked(true).putHeader("Content-Type", "text/event-stream");
        request.response().write(": hello\n\n");
        held.complete(request);
      }
      case "/silent" -> held.complete(request);
      case "/large" -> request.response().end(Buffer.buffer(new byte[LARGE]));
      default -> request.response().end("ok");
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket();
    socket.setSoTimeout(WAIT_MS);
    socket.connect(new InetSocketAddress("127.0.0.1", server.actualPort()), WAIT_MS);
    return socket;
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** All that comes until the server hangs up. */
  private static String rest(Socket socket) throws IOException {
    StringBuilder all = new StringBuilder();
    try {
      InputStream in = socket.getInputStream();
      for (int b = in.read(); b >= 0; b = in.read()) {
        all.append((char) b);
      }
    } catch (java.net.SocketException reset) {
      all.append("");
    }
    return all.toString();
  }

  /** Drips header lines until the server hangs up, which it must. */
  private static void drip(Socket socket) throws Exception {
    socket.setSoTimeout(50);
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WAIT_MS);
    while (System.nanoTime() < deadline) {
      try {
        send(socket, "X-A: b\r\n");
        if (socket.getInputStream().read() < 0) {
          return;
        }
      } catch (java.net.SocketTimeoutException goesOn) {
        // Nothing came in these 50 ms: the server still listens.
      } catch (IOException hungUp) {
        return;
      }
    }
    throw new AssertionError("the server let it drip for " + WAIT_MS + " ms");
  }

  @Test
  void aHeadThatNeverEndsIsCutOff() throws Exception {
    serve(Duration.ofMillis(500), Duration.ofMinutes(5), Duration.ofMinutes(5), 100);
    try (Socket silent = connect();
        Socket dripping = connect()) {
      send(dripping, HEAD);
      drip(dripping);
      assertThat(rest(silent)).isEmpty();
    }
    assertThat(requests).hasValue(0);
  }

  @Test
  void aHeadBehindAGoodRequestIsCutOffToo() throws Exception {
    serve(Duration.ofMillis(300), Duration.ofMillis(300), Duration.ofMinutes(5), 100);
    try (Socket socket = connect()) {
      send(socket, HEAD + "\r\n");
      while (requests.get() == 0) {
        Thread.onSpinWait();
      }
      socket.getInputStream().readNBytes(OK.length());
      send(socket, HEAD);
      drip(socket);
    }
    assertThat(requests).hasValue(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/stream", "/silent"})
  void streamsAndSlowAnswersKeepTheirConnections(String path) throws Exception {
    // A slow answer alone is bounded by the time for answers; a stream is not.
    Duration answer = path.equals("/stream") ? Duration.ofMillis(1) : Duration.ofMinutes(5);
    serve(Duration.ofSeconds(1), Duration.ofMillis(50), answer, 100);
    try (Socket socket = connect()) {
      send(socket, HEAD.replace("GET /", "GET " + path) + "\r\n");
      HttpServerRequest request = held.get(60, TimeUnit.SECONDS);
      CompletableFuture<Void> later = new CompletableFuture<>();
      vertx.setTimer(2_000, id -> later.complete(null)); // Some twenty looks of the guard.
      later.get(60, TimeUnit.SECONDS);
      request.response().end(Buffer.buffer("whole"));
      assertThat(rest(socket)).contains("whole");
    }
  }

  @Test
  void aClientThatIsStillTakingAnAnswerKeepsItsConnection() throws Exception {
    serve(Duration.ofSeconds(1), Duration.ofMillis(50), Duration.ofMillis(1), 100);
    try (Socket socket = connect()) {
      send(socket, HEAD.replace("GET /", "GET /large") + "\r\n");
      CompletableFuture<Void> later = new CompletableFuture<>();
      vertx.setTimer(2_000, id -> later.complete(null)); // Some twenty looks of the guard.
      later.get(60, TimeUnit.SECONDS);
      assertThat(socket.getInputStream().readNBytes(LARGE)).hasSize(LARGE);
      send(socket, HEAD + "\r\n");
      String end = "";
      while (!end.endsWith(OK)) {
        int b = socket.getInputStream().read();
        assertThat(b).isNotNegative();
        end += (char) b;
      }
    }
  }

  @Test
  void aBodyThatNobodyWantsIsCutOff() throws Exception {
    serve(Duration.ofMillis(300), Duration.ofMillis(300), Duration.ofMinutes(5), 100);
    try (Socket socket = connect()) {
      send(socket, HEAD.replace("GET", "POST") + "Content-Length: 1000000000\r\n\r\n");
      while (requests.get() == 0) {
        Thread.onSpinWait();
      }
      socket.getInputStream().readNBytes(OK.length());
      drip(socket);
    }
  }

  @Test
  void anAnswerThatNobodyMakesDoesNotKeepItsConnection() throws Exception {
    serve(Duration.ofMillis(50), Duration.ofMillis(50), Duration.ofMillis(200), 100);
    try (Socket socket = connect()) {
      send(socket, HEAD.replace("GET /", "GET /silent") + "\r\n");
      assertThat(rest(socket)).isEmpty();
    }
    assertThat(requests).hasValue(1);
  }

  @Test
  void connectionsBeyondTheLimitAreClosed() throws Exception {
    serve(Duration.ofMinutes(5), Duration.ofMinutes(5), Duration.ofMinutes(5), 1);
    try (Socket first = connect()) {
      send(first, HEAD + "\r\n");
      while (requests.get() == 0) {
        Thread.onSpinWait();
      }
      try (Socket second = connect()) {
        assertThat(rest(second)).isEmpty();
      }
    }
  }

  @Test
  void headsThatAreTooLargeAreRefused() throws Exception {
    serve(Duration.ofMinutes(5), Duration.ofMinutes(5), Duration.ofMinutes(5), 100);
    for (String flood :
        new String[] {
          HEAD + "X-A: " + "b".repeat(HttpLimits.HEADER_BYTES_MAX) + "\r\n\r\n",
          "GET /" + "a".repeat(HttpLimits.LINE_BYTES_MAX) + " HTTP/1.1\r\nHost: here\r\n\r\n"
        }) {
      try (Socket socket = connect()) {
        send(socket, flood);
        // The answer may be lost: a client that is still sending is reset.
        assertThat(rest(socket)).doesNotContain("200 OK");
      }
    }
    assertThat(requests).hasValue(0);
  }
}
