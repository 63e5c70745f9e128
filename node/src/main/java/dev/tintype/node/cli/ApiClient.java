package dev.tintype.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.events.SseReader;
import dev.tintype.gateway.events.SseReader.Message;
import dev.tintype.node.IoReason;
import dev.tintype.node.NodeException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;

/** A client of the job API, as anybody could write one. */
final class ApiClient implements AutoCloseable {
  private static final Duration CONNECT_MAX = Duration.ofSeconds(5);

  /** A server that is busy painting still answers within this. */
  private static final Duration PROBE_MAX = Duration.ofSeconds(10);

  private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

  /** A stream of events says something every 15 s. */
  private static final Duration SILENCE_MAX = Duration.ofSeconds(45);

  private static final int PROBLEM_BYTES_MAX = 64 << 10;
  private static final int PICTURE_BYTES_MAX = 256 << 20;
  private static final int RECONNECTS_MAX = 60;
  private static final long RECONNECT_PAUSE_MS = 1_000;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final HttpClient http;
  private final URI server;
  private final String apiKey;

  /**
   * @param trust empty: the authorities that Java knows
   */
  ApiClient(URI server, String apiKey, Optional<SSLContext> trust) {
    this.server = server;
    this.apiKey = apiKey;
    this.http = http(trust).followRedirects(HttpClient.Redirect.NORMAL).build();
  }

  /**
   * HTTP/1.1: the JDK's upgrade to HTTP/2 in clear text now and then stays unanswered, and an
   * orderly close would wait for it until the server drops the connection.
   */
  private static HttpClient.Builder http(Optional<SSLContext> trust) {
    HttpClient.Builder builder =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_MAX);
    trust.ifPresent(builder::sslContext);
    return builder;
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** True where a Tintype answers. */
  static boolean alive(URI server, Optional<SSLContext> trust) {
    HttpClient http = http(trust).build();
    try {
      HttpRequest request =
          HttpRequest.newBuilder(server.resolve("/openapi.json")).timeout(PROBE_MAX).build();
      HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
      return answer.statusCode() == 200 && answer.body().contains("Tintype");
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      http.shutdownNow();
    }
  }

  JsonNode post(String path, JsonNode body) {
    return json(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body.toString()))
            .build());
  }

  JsonNode send(String method, String path, JsonNode body) {
    return json(
        request(path)
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body.toString()))
            .build());
  }

  /** Sends a picture and returns the name that jobs know it by. */
  String upload(Path file) {
    try {
      HttpRequest request =
          request("/v1/images")
              .header("Content-Type", "application/octet-stream")
              .POST(BodyPublishers.ofFile(file))
              .build();
      return json(request).path("sha256").asText();
    } catch (FileNotFoundException e) {
      throw new NodeException.Remote("cli.in", "There is no picture at " + file + ".", e);
    }
  }

  JsonNode get(String path) {
    return json(request(path).GET().build());
  }

  JsonNode delete(String path) {
    return json(request(path).DELETE().build());
  }

  /** The bytes behind a URL of the edge, absolute or a path. */
  byte[] picture(String url) {
    HttpRequest request =
        HttpRequest.newBuilder(server.resolve(url)).timeout(ANSWER_MAX).GET().build();
    try {
      HttpResponse<InputStream> answer = http.send(request, BodyHandlers.ofInputStream());
      try (InputStream body = new SilenceLimit(answer.body(), SILENCE_MAX)) {
        if (answer.statusCode() != 200) {
          throw problem(answer.statusCode(), body);
        }
        return body.readNBytes(PICTURE_BYTES_MAX);
      }
    } catch (IOException e) {
      throw unreachable(e);
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  /**
   * Follows a job's events until the predicate says that this one was the last. A stream that broke
   * or fell silent is taken up again behind the last event seen.
   */
  void follow(String path, Predicate<JsonNode> last) {
    String lastId = "0";
    for (int attempt = 0; attempt < RECONNECTS_MAX; attempt++) {
      try {
        HttpRequest request =
            request(path).timeout(ANSWER_MAX).header("Last-Event-ID", lastId).GET().build();
        HttpResponse<InputStream> answer = http.send(request, BodyHandlers.ofInputStream());
        try (InputStream body = new SilenceLimit(answer.body(), SILENCE_MAX);
            SseReader events = new SseReader(body)) {
          if (answer.statusCode() != 200) {
            throw problem(answer.statusCode(), body);
          }
          for (Optional<Message> event = events.next(); event.isPresent(); event = events.next()) {
            lastId = event.get().id();
            attempt = 0;
            if (last.test(MAPPER.readTree(event.get().data()))) {
              return;
            }
          }
        }
      } catch (IOException e) {
        pause();
      } catch (InterruptedException e) {
        throw interrupted();
      }
    }
    throw new NodeException.Remote(
        "client.unreachable", "The server at " + server + " no longer answers.");
  }

  private static void pause() {
    try {
      Thread.sleep(RECONNECT_PAUSE_MS);
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(server.resolve(path)).header("Authorization", "Bearer " + apiKey);
  }

  private JsonNode json(HttpRequest request) {
    try {
      HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
      if (answer.statusCode() / 100 != 2) {
        throw problem(answer.statusCode(), answer.body());
      }
      return answer.body().isEmpty() ? object() : MAPPER.readTree(answer.body());
    } catch (JsonProcessingException e) {
      throw new NodeException.Remote(
          "client.answer", "The server at " + server + " did not answer with JSON.", e);
    } catch (IOException e) {
      throw unreachable(e);
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private static NodeException.Remote problem(int status, InputStream body) throws IOException {
    return problem(status, new String(body.readNBytes(PROBLEM_BYTES_MAX), StandardCharsets.UTF_8));
  }

  /** A problem+json (RFC 9457) as one of our errors. */
  private static NodeException.Remote problem(int status, String body) {
    try {
      JsonNode problem = MAPPER.readTree(body == null ? "" : body);
      return new NodeException.Remote(
          problem.path("code").asText("http." + status),
          problem.path("detail").asText(problem.path("title").asText("HTTP " + status)));
    } catch (JsonProcessingException e) {
      return new NodeException.Remote("http." + status, "The server answered HTTP " + status + ".");
    }
  }

  private NodeException.Remote unreachable(IOException e) {
    if (e instanceof SSLHandshakeException) {
      return new NodeException.Remote(
          "client.certificate",
          "The certificate of "
              + server
              + " is not believed ("
              + e.getMessage()
              + "). Name the authority that vouches for it with --cacert, or correct the URL's"
              + " host.",
          e);
    }
    return new NodeException.Remote(
        "client.unreachable",
        "The server at " + server + " does not answer (" + IoReason.of(e) + ").",
        e);
  }

  private static NodeException.Remote interrupted() {
    Thread.currentThread().interrupt();
    return new NodeException.Remote("client.interrupted", "Interrupted.");
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
