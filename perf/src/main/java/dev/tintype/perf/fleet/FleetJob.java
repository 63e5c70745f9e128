package dev.tintype.perf.fleet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tintype.gateway.events.SseReader;
import dev.tintype.gateway.events.SseReader.Message;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** One job through one gateway, followed by its events to the picture at the edge. */
public final class FleetJob {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration JOB_MAX = Duration.ofMinutes(3);
  private static final Duration PICTURE_TIME = Duration.ofSeconds(30);
  private static final Duration PICTURE_PAUSE = Duration.ofMillis(500);
  private static final int PICTURE_TRIES_MAX = 120;

  private FleetJob() {}

  /**
   * @param state as the API says at the end
   * @param url of the picture; empty where there is none
   * @param bytes of the picture as the edge served it
   */
  public record Result(String id, String state, String url, int bytes, long tookMs) {
    public boolean good() {
      return state.equals("succeeded") && bytes > 0;
    }
  }

  public static Result run(String gateway, String key, String prompt, Consumer<String> onEvent)
      throws IOException, InterruptedException {
    long began = System.nanoTime();
    try (HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build()) {
      JsonNode accepted =
          JSON.readTree(
              client
                  .send(
                      request(gateway + "/v1/jobs", key)
                          .header("Content-Type", "application/json")
                          .POST(
                              HttpRequest.BodyPublishers.ofString(
                                  JSON.createObjectNode().put("prompt", prompt).toString()))
                          .build(),
                      HttpResponse.BodyHandlers.ofString())
                  .body());
      if (!accepted.hasNonNull("id")) {
        throw new IOException(gateway + " did not accept the job: " + accepted);
      }
      String id = accepted.get("id").asText();
      try (SseReader events =
          new SseReader(
              client
                  .send(
                      request(gateway + "/v1/jobs/" + id + "/events", key).build(),
                      HttpResponse.BodyHandlers.ofInputStream())
                  .body())) {
        for (Optional<Message> event = events.next(); event.isPresent(); event = events.next()) {
          onEvent.accept(event.get().event());
        }
      }
      JsonNode job =
          JSON.readTree(
              client
                  .send(
                      request(gateway + "/v1/jobs/" + id, key).build(),
                      HttpResponse.BodyHandlers.ofString())
                  .body());
      String url = job.at("/images/0/urls/original").asText("");
      int bytes = url.isEmpty() ? 0 : pictureBytes(client, URI.create(url));
      return new Result(
          id, job.path("state").asText(), url, bytes, (System.nanoTime() - began) / 1_000_000);
    }
  }

  /** As somebody who reloads the page: an edge that is being started again answers soon. */
  private static int pictureBytes(HttpClient client, URI url)
      throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(url).timeout(PICTURE_TIME).build();
    IOException last = null;
    for (int attempt = 0; attempt < PICTURE_TRIES_MAX; attempt++) {
      try {
        HttpResponse<byte[]> picture =
            client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        if (picture.statusCode() == 200) {
          return picture.body().length;
        }
        last = new IOException("HTTP " + picture.statusCode());
      } catch (IOException e) {
        last = e;
      }
      Thread.sleep(PICTURE_PAUSE);
    }
    throw new IOException("The edge does not give the picture at " + url, last);
  }

  private static HttpRequest.Builder request(String url, String key) {
    return HttpRequest.newBuilder(URI.create(url))
        .timeout(JOB_MAX)
        .header("Authorization", "Bearer " + key);
  }
}
