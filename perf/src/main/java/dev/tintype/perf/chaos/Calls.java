package dev.tintype.perf.chaos;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.tintype.perf.chaos.History.Promise;
import dev.tintype.perf.chaos.History.Submission;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/** One request each, told to the history. An answer that does not come is empty. */
final class Calls implements AutoCloseable {
  /** The gateway answers within 10 s whatever its database does; then come the lines. */
  private static final Duration ANSWER_MAX = Duration.ofSeconds(15);

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(3))
          .build();
  private final String origin;
  private final String apiKey;
  private final History history;

  Calls(String origin, String apiKey, History history) {
    this.origin = origin;
    this.apiKey = apiKey;
    this.history = history;
  }

  /** An answer: whole, or it would not be one. */
  record Answer(int status, byte[] body) {
    JsonNode json() {
      try {
        return MAPPER.readTree(body);
      } catch (IOException e) {
        return MissingNode.getInstance();
      }
    }

    /** Try the same again later. */
    boolean later() {
      return status == 429 || status == 503 || status == 507;
    }
  }

  static JsonNode json(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("not JSON: " + text, e);
    }
  }

  /** POST /v1/jobs; notes a 202. */
  Optional<Answer> submit(Submission submission, String body) throws InterruptedException {
    long asked = System.nanoTime();
    Optional<Answer> answer =
        send(
            request("/v1/jobs")
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", '"' + submission.key() + '"')
                .POST(BodyPublishers.ofString(body)));
    answer
        .filter(one -> one.status() == 202)
        .ifPresent(
            one -> {
              String id = one.json().path("id").asText();
              history.accepted(submission, id);
              history.state(id, one.json().path("state").asText(), asked);
            });
    return answer;
  }

  /** GET /v1/jobs/{id}; notes the state. */
  Optional<Answer> job(String id) throws InterruptedException {
    long asked = System.nanoTime();
    Optional<Answer> answer = send(request("/v1/jobs/" + id));
    answer
        .filter(one -> one.status() == 200)
        .ifPresent(one -> history.state(id, one.json().path("state").asText(), asked));
    return answer;
  }

  /** DELETE /v1/jobs/{id}; notes what was promised. */
  void cancel(String id) throws InterruptedException {
    history.cancelAsked(id);
    send(request("/v1/jobs/" + id).DELETE())
        .filter(one -> one.status() == 200)
        .ifPresent(one -> history.withdrawn(id));
  }

  Optional<Answer> get(String path) throws InterruptedException {
    return send(request(path));
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(origin + path))
        .timeout(ANSWER_MAX)
        .header("Authorization", "Bearer " + apiKey);
  }

  private Optional<Answer> send(HttpRequest.Builder builder) throws InterruptedException {
    history.requests.incrementAndGet();
    HttpRequest request = builder.build();
    try {
      HttpResponse<byte[]> response = http.send(request, BodyHandlers.ofByteArray());
      Answer answer = new Answer(response.statusCode(), response.body());
      if (answer.status() >= 400) {
        refused(request, response, answer);
      }
      return Optional.of(answer);
    } catch (IOException e) {
      history.lostAnswers.incrementAndGet();
      return Optional.empty();
    }
  }

  /** A refusal is a problem with a code, and never a fault that nobody foresaw. */
  private void refused(HttpRequest request, HttpResponse<byte[]> response, Answer answer) {
    history.refusals.incrementAndGet();
    boolean problem =
        response
            .headers()
            .firstValue("Content-Type")
            .filter("application/problem+json"::equals)
            .isPresent();
    boolean known =
        switch (answer.status()) {
          case 409, 422, 429, 503, 507 -> true;
          default -> false;
        };
    if (!problem || !known || answer.json().path("code").asText().isEmpty()) {
      history.violation(
          Promise.ANSWER,
          "%s %s: %d %s"
              .formatted(
                  request.method(),
                  request.uri().getPath(),
                  answer.status(),
                  new String(answer.body(), StandardCharsets.UTF_8)));
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
