package dev.tintype.queue.fleet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.Tier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The form of a worker's status in shared memory. A reader takes what it knows and leaves out what
 * it does not: during an update workers of two versions live side by side.
 */
final class WorkerStatusJson {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerStatusJson.class);
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private WorkerStatusJson() {}

  static byte[] write(WorkerStatus status) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("id", status.id())
        .put("host", status.host())
        .put("device", status.device())
        .put("memory_bytes", status.memoryBytes())
        .put("free_bytes", status.freeBytes())
        .put("steps_per_second", status.stepsPerSecond())
        .put("jobs", status.jobs())
        .put("jobs_max", status.jobsMax())
        .put("state", status.state().wire())
        .put("version", status.version())
        .put("pool", status.pool());
    names(node.putArray("serves"), status.serves());
    names(node.putArray("resident"), status.resident());
    try {
      return MAPPER.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void names(ArrayNode array, Collection<String> names) {
    names.forEach(array::add);
  }

  /** Empty for what is no status that this version understands. */
  static Optional<WorkerStatus> read(byte[] bytes) {
    try {
      JsonNode node = MAPPER.readTree(new String(bytes, StandardCharsets.UTF_8));
      return Optional.of(
          new WorkerStatus(
              node.path("id").asText(),
              node.path("host").asText(),
              node.path("device").asText(),
              node.path("memory_bytes").asLong(),
              node.path("free_bytes").asLong(),
              names(node.path("serves")),
              names(node.path("resident")),
              node.path("steps_per_second").asDouble(),
              node.path("jobs").asInt(),
              node.path("jobs_max").asInt(),
              state(node.path("state").asText()),
              node.path("version").asText(),
              node.path("pool").asText(Tier.SHARED)));
    } catch (IOException | QueueException.Invalid | IllegalArgumentException e) {
      LOG.debug("A worker's status is left out", e);
      return Optional.empty();
    }
  }

  private static WorkerState state(String wire) {
    for (WorkerState state : WorkerState.values()) {
      if (state.wire().equals(wire)) {
        return state;
      }
    }
    throw new IllegalArgumentException("no state: " + wire);
  }

  private static SortedSet<String> names(JsonNode array) {
    SortedSet<String> names = new TreeSet<>();
    array.forEach(name -> names.add(name.asText()));
    return names;
  }
}
