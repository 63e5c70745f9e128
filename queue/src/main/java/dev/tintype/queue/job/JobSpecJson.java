package dev.tintype.queue.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.queue.QueueException;
import java.util.Optional;

/**
 * The stored form of a recipe. Fields are written in a fixed order, so that equal recipes are equal
 * texts; {@code "v"} is the version, and a reader takes every version from 1 up to its own. A field
 * that is missing has the default of its version.
 */
final class JobSpecJson {
  private static final int VERSION = 1;

  private JobSpecJson() {}

  static String write(JobSpec spec) {
    ObjectNode node = Json.object();
    node.put("v", VERSION);
    node.put("model", spec.model());
    node.put("prompt", spec.prompt());
    node.put("negative_prompt", spec.negativePrompt());
    node.put("width", spec.width());
    node.put("height", spec.height());
    node.put("steps", spec.steps());
    node.put("guidance_scale", spec.guidanceScale());
    node.put("guidance_rescale", spec.guidanceRescale());
    spec.scheduler().ifPresent(name -> node.put("scheduler", name));
    node.put("eta", spec.eta());
    node.put("seed", spec.seed());
    node.put("images", spec.images());
    node.put("clip_skip", spec.clipSkip());
    node.put("strength", spec.strength());
    spec.initImage().ifPresent(sha -> node.put("init_image", sha));
    spec.maskImage().ifPresent(sha -> node.put("mask_image", sha));
    return node.toString();
  }

  static JobSpec read(String json) {
    JsonNode node;
    try {
      node = Json.read(json);
    } catch (JsonProcessingException e) {
      throw new QueueException.Invalid("job.spec.json", "The stored recipe is not JSON.", e);
    }
    int version = node.path("v").asInt();
    if (version < 1 || version > VERSION) {
      throw new QueueException.Invalid(
          "job.spec.version",
          "This recipe has version "
              + version
              + ", and this program reads 1 to "
              + VERSION
              + "; update it.");
    }
    return new JobSpec(
        node.path("model").asText(),
        node.path("prompt").asText(),
        node.path("negative_prompt").asText(),
        node.path("width").asInt(512),
        node.path("height").asInt(512),
        node.path("steps").asInt(20),
        node.path("guidance_scale").asDouble(7.5),
        node.path("guidance_rescale").asDouble(),
        text(node, "scheduler"),
        node.path("eta").asDouble(),
        node.path("seed").asLong(),
        node.path("images").asInt(1),
        node.path("clip_skip").asInt(),
        node.path("strength").asDouble(0.8),
        text(node, "init_image"),
        text(node, "mask_image"));
  }

  private static Optional<String> text(JsonNode node, String field) {
    return node.hasNonNull(field) ? Optional.of(node.get(field).asText()) : Optional.empty();
  }
}
