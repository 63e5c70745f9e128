package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.RawSocket;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Broken request lines, headers and bodies: an answer below 500 or a closed connection, never
 * silence, never a stack trace.
 */
@Timeout(120)
class FuzzHttpTest {
  private static final int REQUESTS = 400;
  private static final List<String> PATHS =
      List.of(
          "/v1/jobs",
          "/v1/jobs/",
          "/v1/jobs/x/events",
          "/",
          "/studio/",
          "/openapi.json",
          "/i/",
          "*",
          "",
          "//",
          "http://x/v1/jobs");
  private static final List<String> BITS =
      List.of(
          "%",
          "%zz",
          "%00",
          "%c0%80",
          "%2e%2e/",
          "../",
          "\\",
          "?",
          "?limit=%",
          "?a=b&&=",
          "#",
          ";",
          "\u0000",
          "\u00ff",
          "\t",
          " ",
          "é",
          "a",
          "{",
          "\"");
  private static final List<String> METHODS =
      List.of(
          "GET",
          "POST",
          "DELETE",
          "HEAD",
          "OPTIONS",
          "get",
          "G\u0001T",
          "",
          "CONNECT",
          "TRACE",
          "PRI");
  private static final List<String> HEADERS =
      List.of(
          "Content-Length: -1",
          "Content-Length: 99999999999999999999",
          "Content-Length: 5",
          "Content-Length: x",
          "Transfer-Encoding: chunked",
          "Transfer-Encoding: x",
          "Expect: 100-continue",
          "Last-Event-ID: \u0001",
          "Idempotency-Key: \u00ff",
          "Content-Type: application/json",
          "Content-Type: ;;;",
          "Authorization: Bearer \u0000",
          ": no name",
          "no colon",
          " folded",
          "Accept: " + "x".repeat(9_000),
          "If-None-Match: ,,,\"",
          "Host: y",
          "Upgrade: h2c",
          "Cookie: " + "a=b;".repeat(500));

  @Test
  void whateverComesTheServerAnswersAndLives() {
    Platform platform = Platform.shared();
    Random random = new Random(2);
    try (Platform.Server server = platform.serve(GatewayConfig.defaults())) {
      Platform.User user = platform.user("standard");
      for (int i = 0; i < REQUESTS; i++) {
        String request = request(random, user.key());
        String answer = RawSocket.exchange(server.port, request, true);
        if (!answer.isEmpty()) {
          // 501 is how Vert.x itself answers HTTP/9.9.
          assertThat(answer)
              .as(request)
              .matches("(?s)HTTP/[0-9]\\.[0-9] ([1234][0-9][0-9]|501) .*");
          assertThat(answer)
              .as(request)
              .doesNotContain("Exception", "\tat ", "java.lang", user.key());
        }
      }
      Client client = server.client(user);
      assertThat(client.get("/healthz").status()).isEqualTo(200);
      assertThat(client.submit("{\"prompt\":\"a\"}").status()).isEqualTo(202);
    }
  }

  @Test
  void aUrlThatIsTooLongIsAProblem() {
    try (Platform.Server server = Platform.shared().serve(GatewayConfig.defaults())) {
      String answer =
          RawSocket.exchange(
              server.port,
              "GET /" + "a".repeat(9_000) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assertThat(answer)
          .matches("(?s)HTTP/1\\.[01] 400 .*")
          .contains("application/problem+json", "request.unreadable");
      String headers =
          RawSocket.exchange(
              server.port,
              "GET / HTTP/1.1\r\nHost: x\r\nX: "
                  + "a".repeat(20_000)
                  + "\r\nConnection: close\r\n\r\n");
      assertThat(headers).matches("(?s)HTTP/1\\.[01] 400 .*").contains("request.unreadable");
    }
  }

  private static String request(Random random, String key) {
    StringBuilder path = new StringBuilder(pick(random, PATHS));
    for (int i = random.nextInt(4); i > 0; i--) {
      path.append(pick(random, BITS));
    }
    StringBuilder out = new StringBuilder();
    out.append(random.nextInt(4) == 0 ? pick(random, METHODS) : METHODS.get(random.nextInt(3)));
    out.append(' ')
        .append(path)
        .append(random.nextInt(8) == 0 ? " HTTP/9.9" : " HTTP/1.1")
        .append("\r\nHost: x\r\n");
    if (random.nextBoolean()) {
      out.append("Authorization: Bearer ").append(key).append("\r\n");
    }
    for (int i = random.nextInt(4); i > 0; i--) {
      out.append(pick(random, HEADERS)).append("\r\n");
    }
    return out.append("Connection: close\r\n\r\n")
        .append(pick(random, List.of("", "{}", "0\r\n\r\n", "zz\r\n", "\u0000\u0001")))
        .toString();
  }

  private static String pick(Random random, List<String> list) {
    return list.get(random.nextInt(list.size()));
  }
}
