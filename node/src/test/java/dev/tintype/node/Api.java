package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Any client of the job API. */
final class Api implements AutoCloseable {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Duration WAIT_MAX = Duration.ofMinutes(3);

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI server;
  private final String key;

  Api(String server, String key) {
    this.server = URI.create(server);
    this.key = key;
  }

  /** The id of the new job. */
  String submit(String prompt) throws IOException, InterruptedException {
    return submit(MAPPER.createObjectNode().put("prompt", prompt));
  }

  static ObjectNode body(String prompt) {
    return MAPPER.createObjectNode().put("prompt", prompt);
  }

  /** The id of the new job. */
  String submit(ObjectNode body) throws IOException, InterruptedException {
    HttpResponse<String> answer = trySubmit(body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    return MAPPER.readTree(answer.body()).get("id").asText();
  }

  /** The answer, whatever it is. */
  HttpResponse<String> trySubmit(ObjectNode body) throws IOException, InterruptedException {
    return http.send(
        request("/v1/jobs")
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body.toString()))
            .build(),
        BodyHandlers.ofString());
  }

  /** The name of the picture. */
  String upload(byte[] file) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        http.send(
            request("/v1/images")
                .header("Content-Type", "image/png")
                .POST(BodyPublishers.ofByteArray(file))
                .build(),
            BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
    return MAPPER.readTree(answer.body()).get("sha256").asText();
  }

  JsonNode get(String path) throws IOException, InterruptedException {
    HttpResponse<String> answer = http.send(request(path).build(), BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return MAPPER.readTree(answer.body());
  }

  JsonNode job(String id) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        http.send(request("/v1/jobs/" + id).build(), BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return MAPPER.readTree(answer.body());
  }

  /** Takes a picture away, as an admin; the status. */
  int purge(String sha256) throws IOException, InterruptedException {
    return http.send(
            request("/v1/admin/images/" + sha256).DELETE().build(), BodyHandlers.ofString())
        .statusCode();
  }

  /** What the edge says to a URL of a job's first picture. */
  int status(JsonNode job, String which) throws IOException, InterruptedException {
    String url = job.path("images").path(0).path("urls").path(which).asText();
    return http.send(
            HttpRequest.newBuilder(server.resolve(URI.create(url).getRawPath())).build(),
            BodyHandlers.discarding())
        .statusCode();
  }

  int cancel(String id) throws IOException, InterruptedException {
    return http.send(request("/v1/jobs/" + id).DELETE().build(), BodyHandlers.ofString())
        .statusCode();
  }

  /** All events from the first to the one that the predicate takes for the last. */
  List<JsonNode> events(String id, Predicate<JsonNode> last)
      throws IOException, InterruptedException {
    HttpResponse<Stream<String>> answer =
        http.send(
            request("/v1/jobs/" + id + "/events").header("Last-Event-ID", "0").build(),
            BodyHandlers.ofLines());
    assertThat(answer.statusCode()).isEqualTo(200);
    List<JsonNode> events = new ArrayList<>();
    try (Stream<String> lines = answer.body()) {
      for (String line : (Iterable<String>) lines::iterator) {
        if (line.startsWith("data:")) {
          events.add(MAPPER.readTree(line.substring(5)));
          if (last.test(events.getLast())) {
            return events;
          }
        }
      }
    }
    return events;
  }

  List<JsonNode> eventsToTheEnd(String id) throws IOException, InterruptedException {
    return events(
        id,
        event ->
            List.of("succeeded", "failed", "canceled", "expired", "dead").contains(type(event)));
  }

  static String type(JsonNode event) {
    return event.path("type").asText();
  }

  /** The job once it has succeeded. */
  JsonNode await(String id) throws IOException, InterruptedException {
    eventsToTheEnd(id);
    JsonNode job = job(id);
    assertThat(job.path("state").asText()).as(job.toPrettyString()).isEqualTo("succeeded");
    return job;
  }

  /** Prompt in, PNG out. */
  byte[] paint(String prompt) throws IOException, InterruptedException {
    return picture(await(submit(prompt)), "original").body();
  }

  /** One of the URLs of a job's first picture. */
  HttpResponse<byte[]> picture(JsonNode job, String which)
      throws IOException, InterruptedException {
    String url = job.path("images").path(0).path("urls").path(which).asText();
    HttpResponse<byte[]> answer =
        http.send(
            HttpRequest.newBuilder(server.resolve(URI.create(url).getRawPath()))
                .timeout(WAIT_MAX)
                .build(),
            BodyHandlers.ofByteArray());
    assertThat(answer.statusCode()).as(url).isEqualTo(200);
    return answer;
  }

  static Optional<String> header(HttpResponse<?> answer, String name) {
    return answer.headers().firstValue(name);
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(server.resolve(path))
        .timeout(WAIT_MAX)
        .header("Authorization", "Bearer " + key);
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
