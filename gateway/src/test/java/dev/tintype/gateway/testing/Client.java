package dev.tintype.gateway.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** An HTTP client with a key. */
public final class Client {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final HttpClient HTTP =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  private final int port;
  private final String key;

  public Client(int port, String key) {
    this.port = port;
    this.key = key;
  }

  /** An answer, its body as text and as JSON. */
  public record Answer(HttpResponse<byte[]> raw) {
    public int status() {
      return raw.statusCode();
    }

    public String header(String name) {
      return raw.headers().firstValue(name).orElse(null);
    }

    public String text() {
      return new String(raw.body(), StandardCharsets.UTF_8);
    }

    public JsonNode json() {
      try {
        return MAPPER.readTree(raw.body());
      } catch (IOException e) {
        throw new UncheckedIOException(text(), e);
      }
    }

    /** Checks that this is a whole problem with that status and code. */
    public Answer refusedWith(int status, String code) {
      assertThat(status()).as(text()).isEqualTo(status);
      assertThat(header("Content-Type")).isEqualTo("application/problem+json");
      assertThat(json().path("code").asText()).as(text()).isEqualTo(code);
      assertThat(json().path("status").asInt()).isEqualTo(status);
      assertThat(json().path("type").asText()).isEqualTo("/docs/errors.md#" + code);
      assertThat(json().path("title").asText()).isNotBlank();
      assertThat(json().path("detail").asText())
          .isNotBlank()
          .doesNotContain("Exception", "java.", "\n\tat ");
      assertThat(json().path("request_id").asText()).isEqualTo(header("X-Request-Id"));
      return this;
    }
  }

  public HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(DEADLINE);
    return key.isEmpty() ? request : request.header("Authorization", "Bearer " + key);
  }

  public Answer send(HttpRequest.Builder request) {
    try {
      return new Answer(HTTP.send(request.build(), HttpResponse.BodyHandlers.ofByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public Answer get(String path) {
    return send(request(path));
  }

  public Answer delete(String path) {
    return send(request(path).DELETE());
  }

  public Answer post(String path) {
    return send(request(path).POST(HttpRequest.BodyPublishers.noBody()));
  }

  public Answer post(String path, String body) {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  /** Sends JSON with any method. */
  public Answer send(String method, String path, String body) {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body)));
  }

  public Answer submit(String body, String... headers) {
    HttpRequest.Builder request =
        request("/v1/jobs")
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body));
    return send(headers.length == 0 ? request : request.headers(headers));
  }

  /** Submits and returns the job's id. */
  public String submitted(String body) {
    Answer answer = submit(body);
    assertThat(answer.status()).as(answer.text()).isEqualTo(202);
    return answer.json().path("id").asText();
  }

  /** Opens the job's event stream. */
  public EventReader events(String id, long lastEventId) {
    HttpRequest.Builder request = request("/v1/jobs/" + id + "/events");
    if (lastEventId > 0) {
      request.header("Last-Event-ID", Long.toString(lastEventId));
    }
    try {
      HttpResponse<java.io.InputStream> response =
          HTTP.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
      return new EventReader(response);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
