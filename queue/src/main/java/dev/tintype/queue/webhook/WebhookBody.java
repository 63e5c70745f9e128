package dev.tintype.queue.webhook;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.store.WebhookOutbox.Owed;

/**
 * What a receiver is told: which job ended how. Neither the prompt nor links to pictures, which
 * would be for anybody who reads the receiver's log: who has the key asks for the job.
 */
final class WebhookBody {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private WebhookBody() {}

  static String of(Owed owed, Job job) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("type", owed.event()).put("timestamp", owed.at().toString());
    ObjectNode data = node.putObject("data");
    data.put("id", job.id().value());
    data.put("state", owed.event().substring(owed.event().indexOf('.') + 1));
    ArrayNode images = data.putArray("images");
    job.images()
        .forEach(
            image ->
                images
                    .addObject()
                    .put("index", image.index())
                    .put("sha256", image.sha256())
                    .put("width", image.width())
                    .put("height", image.height())
                    .put("seed", image.seed()));
    job.failure()
        .filter(failure -> job.images().isEmpty())
        .ifPresent(
            failure ->
                data.putObject("failure")
                    .put("code", failure.code())
                    .put("message", failure.message()));
    return node.toString();
  }
}
