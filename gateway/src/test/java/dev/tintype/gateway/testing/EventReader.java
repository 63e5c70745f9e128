package dev.tintype.gateway.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads server-sent events as a client does; blocks for the next one. */
public final class EventReader implements AutoCloseable {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  public final HttpResponse<InputStream> response;
  public final List<String> comments = new ArrayList<>();
  public final List<String> retries = new ArrayList<>();
  private final BufferedReader lines;

  EventReader(HttpResponse<InputStream> response) {
    this.response = response;
    this.lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  /**
   * One event.
   *
   * @param id -1 where it has none
   */
  public record Event(long id, String type, JsonNode data) {}

  /** The next event; empty at the end of the stream. */
  public Optional<Event> next() {
    long id = -1;
    String type = "message";
    StringBuilder data = new StringBuilder();
    try {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.isEmpty() && !data.isEmpty()) {
          return Optional.of(new Event(id, type, MAPPER.readTree(data.toString())));
        } else if (line.startsWith(":")) {
          comments.add(line);
        } else if (line.startsWith("retry: ")) {
          retries.add(line.substring(7));
        } else if (line.startsWith("id: ")) {
          id = Long.parseLong(line.substring(4));
        } else if (line.startsWith("event: ")) {
          type = line.substring(7);
        } else if (line.startsWith("data: ")) {
          data.append(line.substring(6));
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads until a comment has come. */
  public void awaitComment() {
    try {
      while (comments.isEmpty()) {
        String line = lines.readLine();
        if (line == null) {
          throw new IllegalStateException("the stream ended without a comment");
        }
        if (line.startsWith(":")) {
          comments.add(line);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All events to the end of the stream. */
  public List<Event> rest() {
    List<Event> events = new ArrayList<>();
    for (Optional<Event> event = next(); event.isPresent(); event = next()) {
      events.add(event.get());
    }
    return events;
  }

  @Override
  public void close() {
    try {
      response.body().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
