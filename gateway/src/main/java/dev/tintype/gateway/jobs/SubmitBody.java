package dev.tintype.gateway.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.http.Fields;
import dev.tintype.gateway.problem.GatewayException.PromptException;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.gateway.prompt.AspectRatio;
import dev.tintype.gateway.prompt.PromptText;
import dev.tintype.gateway.prompt.Size;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.Sha256;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The body of POST /v1/jobs, field by field, before the prompt's parameters are read.
 *
 * @param prompt as typed, parameters included
 * @param negativePrompt what the picture shall not show
 * @param model name of a model
 * @param size pixels; never together with {@code aspectRatio}
 * @param aspectRatio width to height
 * @param steps 1 to 150
 * @param guidanceScale 0 to 30
 * @param guidanceRescale 0 to 1
 * @param scheduler name of a scheduler
 * @param seed 0 to 2^32 - 1
 * @param images 1 to 4
 * @param clipSkip 0 to 12
 * @param initImage SHA-256 of the picture to start from
 * @param strength above 0 to 1, how much of it is made anew; only with {@code initImage}
 * @param mask SHA-256 of a picture that is white where it is made anew; only with {@code initImage}
 * @param mode how the job is scheduled within the tier
 * @param webhook URL that is told of the job's end
 */
record SubmitBody(
    String prompt,
    Optional<String> negativePrompt,
    Optional<String> model,
    Optional<Size> size,
    Optional<AspectRatio> aspectRatio,
    OptionalInt steps,
    OptionalDouble guidanceScale,
    OptionalDouble guidanceRescale,
    Optional<String> scheduler,
    OptionalLong seed,
    OptionalInt images,
    OptionalInt clipSkip,
    Optional<String> initImage,
    OptionalDouble strength,
    Optional<String> mask,
    Optional<JobMode> mode,
    Optional<String> webhook) {

  static final long SEED_MAX = 0xFFFF_FFFFL;
  static final int STEPS_MAX = 150;
  static final double GUIDANCE_MAX = 30;
  static final int IMAGES_MAX = 4;
  static final int CLIP_SKIP_MAX = 12;
  private static final int SIDE_MAX = 8192;

  private static final List<String> KNOWN =
      List.of(
          "prompt",
          "negative_prompt",
          "model",
          "width",
          "height",
          "aspect_ratio",
          "steps",
          "guidance_scale",
          "guidance_rescale",
          "scheduler",
          "seed",
          "images",
          "clip_skip",
          "init_image",
          "strength",
          "mask",
          "mode",
          "webhook");

  /**
   * @throws RequestException 422 field.unknown, field.type, field.range, field.missing,
   *     field.conflict
   * @throws PromptException prompt.characters, prompt.too_long, prompt.aspect_ratio
   */
  static SubmitBody of(ObjectNode object) {
    Fields fields = new Fields(object, KNOWN);
    String prompt =
        fields
            .text("prompt")
            .orElseThrow(
                () ->
                    new RequestException(
                        422, "field.missing", "prompt", "The field \"prompt\" is missing."));
    Optional<String> negative = fields.text("negative_prompt").map(String::strip);
    negative.ifPresent(
        text -> {
          PromptText.requireCleanCharacters("negative_prompt", text);
          PromptText.requireLength("negative_prompt", text);
        });
    Optional<AspectRatio> ratio =
        fields.text("aspect_ratio").map(text -> AspectRatio.parse("aspect_ratio", text));
    return new SubmitBody(
        prompt,
        negative,
        fields.text("model"),
        size(fields, ratio),
        ratio,
        fields.integer("steps", 1, STEPS_MAX),
        fields.number("guidance_scale", 0, GUIDANCE_MAX),
        fields.number("guidance_rescale", 0, 1),
        fields.text("scheduler"),
        fields.integer("seed", 0, SEED_MAX),
        fields.integer("images", 1, IMAGES_MAX),
        fields.integer("clip_skip", 0, CLIP_SKIP_MAX),
        stored(fields, "init_image"),
        needsInit(fields, "strength", fields.number("strength", 0, 1)),
        needsInit(fields, "mask", stored(fields, "mask")),
        fields.text("mode").map(SubmitBody::mode),
        fields.text("webhook"));
  }

  private static JobMode mode(String text) {
    return JobMode.of(text)
        .orElseThrow(
            () ->
                new RequestException(422, "field.range", "mode", "mode is fast, normal or relax."));
  }

  private static Optional<String> stored(Fields fields, String name) {
    Optional<String> sha256 = fields.text(name);
    if (sha256.isPresent() && !Sha256.isHex(sha256.get())) {
      throw new RequestException(
          422,
          "field.type",
          name,
          name + " is the \"sha256\" that POST /v1/images answered: 64 lower-case hex digits.");
    }
    return sha256;
  }

  private static <T> T needsInit(Fields fields, String name, T value) {
    boolean given = !value.equals(Optional.empty()) && !value.equals(OptionalDouble.empty());
    if (given && fields.text("init_image").isEmpty()) {
      throw new RequestException(
          422, "field.conflict", name, name + " needs an init_image to start from.");
    }
    return value;
  }

  private static Optional<Size> size(Fields fields, Optional<AspectRatio> ratio) {
    OptionalInt width = fields.integer("width", 1, SIDE_MAX);
    OptionalInt height = fields.integer("height", 1, SIDE_MAX);
    if (width.isEmpty() && height.isEmpty()) {
      return Optional.empty();
    }
    if (width.isEmpty() || height.isEmpty()) {
      throw new RequestException(
          422,
          "field.conflict",
          width.isEmpty() ? "width" : "height",
          "Give width and height together, or aspect_ratio alone.");
    }
    if (ratio.isPresent()) {
      throw new RequestException(
          422, "field.conflict", "aspect_ratio", "Give either width and height, or aspect_ratio.");
    }
    return Optional.of(new Size(width.getAsInt(), height.getAsInt()));
  }
}
