package dev.tintype.gateway.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.store.SubmitRequest;
import io.vertx.core.MultiMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header) and the fingerprint that
 * goes with it.
 */
final class IdempotencyKeys {
  private static final String HEADER = "Idempotency-Key";

  private IdempotencyKeys() {}

  /**
   * The key without its quotes; printable ASCII, 1 to 255 characters. The draft wants a quoted
   * string; most clients send it bare.
   *
   * @throws RequestException 400 idempotency.key
   */
  static Optional<String> read(MultiMap headers) {
    List<String> values = headers.getAll(HEADER);
    if (values.isEmpty()) {
      return Optional.empty();
    }
    String value = values.getFirst().strip();
    boolean quoted = value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"");
    String key =
        quoted
            ? value.substring(1, value.length() - 1).replace("\\\"", "\"").replace("\\\\", "\\")
            : value;
    if (values.size() > 1 || !key.matches("[ -~]{1," + SubmitRequest.KEY_CHARS_MAX + "}")) {
      throw new RequestException(
          400,
          "idempotency.key",
          HEADER,
          "Send one Idempotency-Key of 1 to 255 printable ASCII characters; a UUID is a good one.");
    }
    return Optional.of(key);
  }

  /**
   * SHA-256 of the fields in the order of their names: equal whatever the client's order and
   * spacing.
   */
  static String fingerprint(ObjectNode body) {
    ObjectNode sorted = Json.object();
    Map<String, JsonNode> fields = new TreeMap<>();
    body.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
    fields.forEach(sorted::set);
    return Sha256.hex(Json.bytes(sorted));
  }
}
