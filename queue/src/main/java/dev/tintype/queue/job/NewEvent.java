package dev.tintype.queue.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.queue.QueueException;
import java.util.Base64;

/**
 * An entry that a worker wants to append; the store gives it attempt, seq and time.
 *
 * @param json one JSON object, at most {@link #JSON_CHARS_MAX} characters
 */
public record NewEvent(EventType type, String json) {
  public static final int JSON_CHARS_MAX = 128 * 1024;

  public NewEvent {
    if (json.length() > JSON_CHARS_MAX) {
      throw new QueueException.Invalid(
          "job.event",
          "An event holds at most " + JSON_CHARS_MAX + " characters; make the preview smaller.");
    }
  }

  /** {@code step} of {@code steps} are done. */
  public static NewEvent progress(int step, int steps) {
    ObjectNode node = Json.object();
    node.put("step", step);
    node.put("steps", steps);
    return new NewEvent(EventType.PROGRESS, node.toString());
  }

  /** A small picture after {@code step} steps, such as 64 x 64 pixels of JPEG. */
  public static NewEvent preview(int step, String mediaType, byte[] picture) {
    ObjectNode node = Json.object();
    node.put("step", step);
    node.put("type", mediaType);
    node.put("base64", Base64.getEncoder().encodeToString(picture));
    return new NewEvent(EventType.PREVIEW, node.toString());
  }

  /** A picture is in the blob store. */
  public static NewEvent image(ImageRecord image) {
    return new NewEvent(EventType.IMAGE, image.toJson());
  }
}
