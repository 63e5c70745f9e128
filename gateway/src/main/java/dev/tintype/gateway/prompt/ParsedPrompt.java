package dev.tintype.gateway.prompt;

import dev.tintype.queue.job.JobMode;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A prompt without its parameters, and the parameters.
 *
 * @param text what the model is to draw; never blank, at most {@link
 *     PromptText#PROMPT_CHARACTERS_MAX} characters
 * @param aspectRatio --ar, width to height
 * @param seed --seed, 0 to 2^32 - 1
 * @param negative --no, what the picture shall not show
 * @param steps --steps, 1 to 150
 * @param guidance --cfg, the guidance scale, 0 to 30
 * @param model --model, the name of a model
 * @param images --images or -n, how many pictures, 1 to 4
 * @param mode --fast or --relax, how the job is scheduled
 */
public record ParsedPrompt(
    String text,
    Optional<AspectRatio> aspectRatio,
    OptionalLong seed,
    Optional<String> negative,
    OptionalInt steps,
    OptionalDouble guidance,
    Optional<String> model,
    OptionalInt images,
    Optional<JobMode> mode) {

  public ParsedPrompt {
    Objects.requireNonNull(text);
    Objects.requireNonNull(aspectRatio);
    Objects.requireNonNull(seed);
    Objects.requireNonNull(negative);
    Objects.requireNonNull(steps);
    Objects.requireNonNull(guidance);
    Objects.requireNonNull(model);
    Objects.requireNonNull(images);
    Objects.requireNonNull(mode);
  }
}
