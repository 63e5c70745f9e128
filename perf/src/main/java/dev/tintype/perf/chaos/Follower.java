package dev.tintype.perf.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.events.SseReader;
import dev.tintype.gateway.events.SseReader.Message;
import dev.tintype.perf.chaos.History.Promise;
import dev.tintype.perf.chaos.History.Seen;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Follows one job's events to its end, as a browser would: after each lost connection it sends the
 * last id that it has. Nothing may be missed, doubled, or out of order.
 */
final class Follower implements Runnable {
  /** Streams say something every 15 s; silence beyond is a dead line. */
  private static final int SILENCE_MS_MAX = 20_000;

  private static final int CONNECT_MS_MAX = 3_000;
  private static final int PAUSE_MS = 300;

  private final String origin;
  private final String apiKey;
  private final String jobId;
  private final History history;
  private final CountDownLatch stop;
  private long last;
  private long attempt;
  private boolean ended;

  Follower(String origin, String apiKey, String jobId, History history, CountDownLatch stop) {
    this.origin = origin;
    this.apiKey = apiKey;
    this.jobId = jobId;
    this.history = history;
    this.stop = stop;
  }

  @Override
  public void run() {
    try {
      while (!ended && !stop.await(0, TimeUnit.MILLISECONDS)) {
        try {
          follow();
        } catch (IOException e) {
          history.reconnects.incrementAndGet();
        }
        if (!ended && stop.await(PAUSE_MS, TimeUnit.MILLISECONDS)) {
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** True once the job's last event was seen. */
  boolean ended() {
    return ended;
  }

  /** Reads one connection to its end. */
  void follow() throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection)
            URI.create(origin + "/v1/jobs/" + jobId + "/events").toURL().openConnection();
    connection.setConnectTimeout(CONNECT_MS_MAX);
    connection.setReadTimeout(SILENCE_MS_MAX);
    connection.setRequestProperty("Authorization", "Bearer " + apiKey);
    connection.setRequestProperty("Last-Event-ID", Long.toString(last));
    connection.setRequestProperty("Connection", "close");
    try {
      int status = connection.getResponseCode();
      if (status == 404) {
        history.violation(Promise.LOST, "job " + jobId + " was accepted and has no events: 404");
        ended = true;
      } else if (status == 200) {
        read(new SseReader(connection.getInputStream()));
      }
    } finally {
      connection.disconnect();
    }
  }

  private void read(SseReader events) throws IOException {
    Optional<Message> message;
    while (!ended && (message = events.next()).isPresent()) {
      // The server's last words have no id of the log.
      if (!message.get().event().equals("error")) {
        event(Long.parseLong(message.get().id()), Calls.json(message.get().data()));
      }
    }
  }

  private void event(long seq, JsonNode event) {
    Seen seen = seen(event);
    if (seq != last + 1) {
      history.violation(
          Promise.FENCE, "job " + jobId + " event " + seq + " came after event " + last);
    }
    if (seen.attempt() < attempt) {
      history.violation(
          Promise.FENCE,
          "job "
              + jobId
              + " event "
              + seq
              + " of attempt "
              + seen.attempt()
              + " came after attempt "
              + attempt);
    }
    last = seq;
    attempt = seen.attempt();
    history.event(jobId, seq, seen);
    if (History.terminal(seen.type())) {
      history.state(jobId, seen.type());
      ended = true;
    }
  }

  /** Without what is not stored: URLs name the present port. */
  private static Seen seen(JsonNode event) {
    ObjectNode kept = event.deepCopy();
    kept.remove("images");
    kept.remove("urls");
    return new Seen(event.path("attempt").asLong(), event.path("type").asText(), kept.toString());
  }
}
