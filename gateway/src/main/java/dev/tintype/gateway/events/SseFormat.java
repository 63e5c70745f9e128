package dev.tintype.gateway.events;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.jobs.JobJson;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobEvent;
import java.time.Duration;
import java.util.List;

/** Writes events as the text/event-stream format wants them. */
final class SseFormat {
  static final String CONTENT_TYPE = "text/event-stream";
  static final String HEARTBEAT = ": still here\n\n";

  private SseFormat() {}

  /** Tells the client how long to wait before it reconnects. */
  static String retry(Duration wait) {
    return "retry: " + wait.toMillis() + "\n\n";
  }

  /**
   * One entry of the log: {@code id:} is its seq, {@code event:} its type, {@code data:} its
   * payload with type, attempt and time.
   *
   * @param images the pictures with their URLs, for the entry that makes them visible
   * @param tier of the job
   */
  static String event(JobEvent event, List<ImageRecord> images, String tier, JobJson json) {
    ObjectNode data = Json.object();
    if (Json.trusted(event.json()) instanceof ObjectNode payload) {
      data.setAll(payload);
    }
    // A preview's payload calls its media type "type"; on the wire that is the event's own.
    if (event.type() == EventType.PREVIEW) {
      data.set("media_type", data.get("type"));
    }
    data.put("type", event.type().wire());
    data.put("attempt", event.attempt());
    data.put("at", event.at().toString());
    if (event.type() == EventType.SUCCEEDED) {
      ArrayNode array = data.putArray("images");
      images.forEach(image -> array.add(json.image(image, tier)));
    }
    return "id: " + event.seq() + "\nevent: " + event.type().wire() + "\n" + data(data.toString());
  }

  /**
   * The last words before the server hangs up for a reason of its own. No id: nothing of the log is
   * skipped by it.
   */
  static String error(String code, String message) {
    return "event: error\n"
        + data(Json.object().put("code", code).put("message", message).toString());
  }

  /** A message of several lines becomes several data lines, which the reader joins again. */
  private static String data(String text) {
    StringBuilder out = new StringBuilder();
    text.lines().forEach(line -> out.append("data: ").append(line).append('\n'));
    return out.append('\n').toString();
  }
}
