package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.RawSocket;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the gateway refuses, and how it says so. The values of fields have their own table in
 * RecipesTest.
 */
@Timeout(60)
class RefusalsHttpTest {
  private static final Platform PLATFORM = Platform.shared();
  private static final String NO_JOB = "/v1/jobs/019ab0f2-6a31-7c55-b0f2-3d1c8f1b7a10";
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

  @ParameterizedTest
  @ValueSource(strings = {"/v1/jobs", NO_JOB, NO_JOB + "/events", "/v1/models"})
  void withoutAKeyNothingIsTold(String path) {
    Client nobody = new Client(server.port, "");
    Answer missing = nobody.get(path).refusedWith(401, "auth.missing");
    assertThat(missing.header("WWW-Authenticate")).isEqualTo("Bearer realm=\"tintype\"");
    Answer unknown =
        new Client(server.port, "tt_" + "x".repeat(43)).get(path).refusedWith(401, "auth.unknown");
    assertThat(unknown.header("WWW-Authenticate"))
        .isEqualTo("Bearer realm=\"tintype\", error=\"invalid_token\"");
    assertThat(unknown.text()).doesNotContain("xxxx");
    for (String wrong :
        List.of(
            "Bearer",
            "Bearer ",
            "Bearer tt_",
            "Basic dHQ6dHQ=",
            "tt_abcdefghijklmnopqrst",
            "Bearer tt_abcdefghijklmnopq rst")) {
      nobody
          .send(nobody.request(path).header("Authorization", wrong))
          .refusedWith(401, "auth.malformed");
    }
    nobody
        .send(
            nobody
                .request(path)
                .header("Authorization", "Bearer tt_" + "x".repeat(43))
                .header("Authorization", "Bearer tt_y"))
        .refusedWith(401, "auth.malformed");
  }

  @Test
  void aKeyInTheQueryIsNoKey() {
    Platform.User user = PLATFORM.user("standard");
    new Client(server.port, "").get("/v1/jobs?key=" + user.key()).refusedWith(401, "auth.missing");
  }

  @Test
  void aRevokedKeyStops() {
    Platform.User user = PLATFORM.user("standard");
    GatewayConfig config = GatewayConfig.defaults();
    String keyId = PLATFORM.accounts.authenticate(user.key()).orElseThrow().keyId();
    assertThat(PLATFORM.accounts.revokeKey(user.id(), keyId)).isTrue();
    try (Platform.Server fresh = PLATFORM.serve(config)) {
      fresh.client(user).get("/v1/jobs").refusedWith(401, "auth.unknown");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/nothing,404,request.path",
    "/v1,404,request.path",
    "/v1/nothing,404,request.path",
    "/v1/jobs/x,404,job.not_found",
    "/v1/jobs/019AB0F2-6A31-7C55-B0F2-3D1C8F1B7A10,404,job.not_found",
    "/v1/jobs/%00,404,job.not_found",
    NO_JOB + ",404,job.not_found",
    NO_JOB + "/events,404,job.not_found",
    NO_JOB + "/nothing,404,request.path",
    "/v1/jobs?limit=0,400,request.parameter",
    "/v1/jobs?limit=101,400,request.parameter",
    "/v1/jobs?limit=x,400,request.parameter",
    "/v1/jobs?limit=1&limit=2,400,request.parameter",
    "/v1/jobs?before=x,400,request.parameter",
    "/v1/jobs?page=2,400,request.parameter",
    "/v1/models?x=1,400,request.parameter"
  })
  void pathsAndQueries(String path, int status, String code) {
    client.get(path).refusedWith(status, code);
  }

  @ParameterizedTest
  @CsvSource({
    "PUT,/v1/jobs,'GET, HEAD, POST, OPTIONS'",
    "DELETE,/v1/jobs,'GET, HEAD, POST, OPTIONS'",
    "POST," + NO_JOB + ",'GET, HEAD, DELETE, OPTIONS'",
    "PATCH," + NO_JOB + "/events,'GET, HEAD, OPTIONS'",
    "DELETE,/v1/models,'GET, HEAD, OPTIONS'",
    "POST,/,'GET, HEAD, OPTIONS'",
    "BREW,/healthz,'GET, HEAD, OPTIONS'"
  })
  void otherMethodsAreRefusedWithTheOnesThatWork(String method, String path, String allow) {
    Answer refused = client.send(client.request(path).method(method, BodyPublishers.noBody()));
    assertThat(refused.refusedWith(405, "request.method").header("Allow")).isEqualTo(allow);
    Answer options = client.send(client.request(path).method("OPTIONS", BodyPublishers.noBody()));
    assertThat(options.status()).isEqualTo(204);
    assertThat(options.header("Allow")).isEqualTo(allow);
    assertThat(options.raw().body()).isEmpty();
    assertThat(options.header("Access-Control-Allow-Origin")).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/", "/v1/jobs", "/v1/models", "/openapi.json", "/healthz", "/nothing", NO_JOB})
  void headIsGetWithoutItsBody(String path) {
    Answer get = client.get(path);
    Answer head = client.send(client.request(path).method("HEAD", BodyPublishers.noBody()));
    assertThat(head.status()).isEqualTo(get.status());
    assertThat(head.header("Content-Length")).isEqualTo(get.header("Content-Length"));
    assertThat(head.header("Content-Type")).isEqualTo(get.header("Content-Type"));
    assertThat(head.raw().body()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "application/jsonx",
        "x"
      })
  void otherMediaTypesAreRefused(String type) {
    HttpRequest.Builder request =
        client.request("/v1/jobs").POST(BodyPublishers.ofString("{\"prompt\":\"a\"}"));
    client.send(request.header("Content-Type", type)).refusedWith(415, "request.content_type");
    client
        .send(client.request("/v1/jobs").POST(BodyPublishers.noBody()))
        .refusedWith(415, "request.content_type");
    assertThat(client.submit("{\"prompt\":\"a\"}").status()).isEqualTo(202);
  }

  @Test
  void compressedBodiesAreRefused() {
    client
        .submit("{\"prompt\":\"a\"}", "Content-Encoding", "gzip")
        .refusedWith(415, "request.content_encoding");
  }

  @Test
  void aPromptOf100KilobytesGetsAClearAnswer() {
    String body = "{\"prompt\": \"" + "a".repeat(100_000) + "\"}";
    Answer refused = client.submit(body).refusedWith(413, "body.too_large");
    assertThat(refused.json().path("detail").asText()).contains("65,536", "4,000");
    HttpRequest.Builder chunked =
        client
            .request("/v1/jobs")
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body.getBytes())));
    client.send(chunked).refusedWith(413, "body.too_large");
    client
        .send(
            client
                .request("/v1/jobs")
                .header("Content-Type", "application/json")
                .expectContinue(true)
                .POST(BodyPublishers.ofString(body)))
        .refusedWith(413, "body.too_large");
  }

  @Test
  void whatFitsTheBodyButNotThePromptIsRefusedByName() {
    client
        .submit("{\"prompt\": \"" + "a".repeat(4_001) + "\"}")
        .refusedWith(422, "prompt.too_long");
    assertThat(client.submit("{\"prompt\": \"" + "\\ud83c\\udfd4".repeat(4_000) + "\"}").status())
        .isEqualTo(202);
  }

  @Test
  void expectContinueIsServed() {
    HttpRequest.Builder request =
        client
            .request("/v1/jobs")
            .header("Content-Type", "application/json")
            .expectContinue(true)
            .POST(BodyPublishers.ofString("{\"prompt\":\"a\"}"));
    assertThat(client.send(request).status()).isEqualTo(202);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"prompt":               | 400 | json.malformed       |
          {"prompt":"a","steps":NaN} | 400 | json.malformed     |
          {"prompt":"a","prompt":"b"} | 400 | json.malformed    |
          ["a"]                    | 400 | json.not_an_object   |
          {"prompt":"a","stepz":3} | 422 | field.unknown        | stepz
          {"prompt":"a","steps":"x"} | 422 | field.type         | steps
          {"prompt":"a","model":"x"} | 422 | model.unknown      | model
          {"prompt":"a --ar 0:1"}  | 422 | prompt.aspect_ratio  | --ar
          {"prompt":"a --steps NaN"} | 422 | prompt.parameter.value | --steps
          {"prompt":"a --v 6"}     | 422 | prompt.parameter.unknown | prompt
          {"prompt":"a\\u0000"}    | 422 | prompt.characters    | prompt
          {"prompt":"a\\udc00"}    | 422 | prompt.characters    | prompt
          """)
  void bodies(String body, int status, String code, String parameter) {
    Answer refused = client.submit(body).refusedWith(status, code);
    assertThat(refused.json().path("parameter").asText(null)).isEqualTo(parameter);
    assertThat(client.get("/v1/jobs").json().path("jobs")).isEmpty();
  }

  @Test
  void idempotencyKeysThatAreNone() {
    for (String wrong : List.of("\"\"", "x".repeat(256), "\"" + "x".repeat(256) + "\"")) {
      client
          .submit("{\"prompt\":\"a\"}", "Idempotency-Key", wrong)
          .refusedWith(400, "idempotency.key");
    }
    client
        .submit("{\"prompt\":\"a\"}", "Idempotency-Key", "a", "Idempotency-Key", "b")
        .refusedWith(400, "idempotency.key");
    assertThat(client.submit("{\"prompt\":\"a\"}", "Idempotency-Key", "x".repeat(255)).status())
        .isEqualTo(202);
  }

  @Test
  void ratesAreKeptPerUser() {
    GatewayConfig slow =
        GatewayConfig.defaults().withRates(new GatewayConfig.Rates(0.01, 4, 0.01, 2));
    try (Platform.Server limited = PLATFORM.serve(slow)) {
      Client eager = limited.client(PLATFORM.user("standard"));
      eager.submitted("{\"prompt\":\"a\"}");
      eager.submitted("{\"prompt\":\"a\"}");
      Answer submits = eager.submit("{\"prompt\":\"a\"}").refusedWith(429, "rate.submits");
      assertThat(Integer.parseInt(submits.header("Retry-After"))).isBetween(90, 100);
      assertThat(eager.get("/v1/jobs").status()).isEqualTo(200);
      eager.get("/v1/jobs").refusedWith(429, "rate.requests");
      assertThat(limited.client(PLATFORM.user("standard")).get("/v1/jobs").status()).isEqualTo(200);
      assertThat(eager.get("/").status()).as("the page is not limited").isEqualTo(200);
    }
  }

  @Test
  void aBodyThatNeverComesIsGivenUp() {
    GatewayConfig config =
        GatewayConfig.defaults()
            .withBodies(new GatewayConfig.Bodies(65_536, java.time.Duration.ofMillis(200)));
    Platform.User user = PLATFORM.user("standard");
    try (Platform.Server impatient = PLATFORM.serve(config)) {
      String head =
          "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
              + user.key()
              + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
      String answer = RawSocket.exchange(impatient.port, head);
      assertThat(answer).startsWith("HTTP/1.1 408 ").contains("body.timeout");
    }
  }

  @Test
  void answersCarryTheHeadersThatKeepBrowsersCareful() {
    for (String path : List.of("/v1/jobs", "/nothing", "/healthz")) {
      Answer answer = client.get(path);
      assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
      assertThat(answer.header("Referrer-Policy")).isEqualTo("no-referrer");
      assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
      assertThat(answer.header("X-Request-Id")).matches("[0-9a-f]{16}");
    }
  }

  @Test
  void otherRoomsOnTheSameRouterAreLeftAlone() {
    assertThat(client.get("/i/x").text()).isEqualTo("picture");
    assertThat(client.get("/i/x").header("X-Request-Id")).isNull();
  }
}
