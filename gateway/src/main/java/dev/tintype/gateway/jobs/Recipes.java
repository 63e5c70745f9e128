package dev.tintype.gateway.jobs;

import dev.tintype.gateway.ModelCard;
import dev.tintype.gateway.ModelCatalog;
import dev.tintype.gateway.problem.GatewayException.PromptException;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.gateway.problem.GatewayException.UnavailableException;
import dev.tintype.gateway.prompt.AspectRatio;
import dev.tintype.gateway.prompt.ParsedPrompt;
import dev.tintype.gateway.prompt.PromptParser;
import dev.tintype.gateway.prompt.PromptText;
import dev.tintype.gateway.prompt.Size;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobSpec;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/**
 * Makes the complete recipe of a job: a parameter in the prompt wins over the field of the body,
 * which wins over the model's default; the seed is drawn when nobody named one.
 */
final class Recipes {
  private static final Duration NO_MODEL_RETRY = Duration.ofSeconds(10);

  /** As diffusers has it for image-to-image. */
  private static final double STRENGTH_DEFAULT = 0.8;

  /** Under a mask nothing need be kept: what stands outside it stays anyway. */
  private static final double STRENGTH_MASKED = 1;

  private final ModelCatalog models;
  private final RandomGenerator random;

  Recipes(ModelCatalog models, RandomGenerator random) {
    this.models = models;
    this.random = random;
  }

  /**
   * What a user wants.
   *
   * @param mode as asked for; what is granted is decided later
   */
  record Wish(JobSpec spec, JobMode mode) {}

  /**
   * @throws PromptException as the parser does
   * @throws RequestException 422 model.unknown, model.size, model.scheduler, model.clip_skip
   * @throws UnavailableException 503 model.none while no model is loaded
   */
  Wish wish(SubmitBody body) {
    ParsedPrompt prompt = PromptParser.parse(body.prompt());
    return new Wish(recipe(prompt, body), prompt.mode().or(body::mode).orElse(JobMode.NORMAL));
  }

  private JobSpec recipe(ParsedPrompt prompt, SubmitBody body) {
    ModelCard model = model(prompt.model().or(body::model));
    Size size = size(model, prompt, body);
    JobSpec.Builder spec =
        JobSpec.builder(model.name(), prompt.text())
            .negativePrompt(prompt.negative().or(body::negativePrompt).orElse(""))
            .size(size.width(), size.height())
            .steps(first(prompt.steps(), body.steps(), model.steps()))
            .guidanceScale(
                prompt.guidance().orElse(body.guidanceScale().orElse(model.guidanceScale())))
            .guidanceRescale(body.guidanceRescale().orElse(model.guidanceRescale()))
            .scheduler(scheduler(model, body))
            .images(first(prompt.images(), body.images(), 1))
            .clipSkip(clipSkip(model, body));
    if (prompt.seed().isPresent()) {
      spec.seed(prompt.seed().getAsLong());
    } else {
      spec.seed(body.seed().orElseGet(() -> random.nextLong(SubmitBody.SEED_MAX + 1)));
    }
    body.initImage().ifPresent(spec::initImage);
    body.mask().ifPresent(spec::maskImage);
    if (body.initImage().isPresent()) {
      spec.strength(strength(body, first(prompt.steps(), body.steps(), model.steps())));
    }
    return spec.build();
  }

  /** At least one of the steps has to run. */
  private static double strength(SubmitBody body, int steps) {
    double strength =
        body.strength().orElse(body.mask().isPresent() ? STRENGTH_MASKED : STRENGTH_DEFAULT);
    if ((int) (steps * strength) < 1) {
      throw new RequestException(
          422,
          "field.range",
          "strength",
          String.format(
              Locale.ROOT,
              "strength is from %.3f to 1 for %d steps: less leaves no step to run.",
              Math.ceil(1000.0 / steps) / 1000,
              steps));
    }
    return strength;
  }

  private ModelCard model(Optional<String> name) {
    List<ModelCard> known = models.models();
    if (known.isEmpty()) {
      throw new UnavailableException(
          "model.none", "No model is loaded yet. Try again soon.", NO_MODEL_RETRY);
    }
    if (name.isEmpty()) {
      return known.getFirst();
    }
    return models
        .find(name.get())
        .orElseThrow(
            () ->
                new RequestException(
                    422,
                    "model.unknown",
                    "model",
                    "There is no model "
                        + PromptText.quote(name.get())
                        + "; there is "
                        + known.stream().map(ModelCard::name).collect(Collectors.joining(", "))
                        + "."));
  }

  private static Size size(ModelCard model, ParsedPrompt prompt, SubmitBody body) {
    Optional<AspectRatio> ratio = prompt.aspectRatio().or(body::aspectRatio);
    if (ratio.isPresent()) {
      return ratio
          .get()
          .fit(model.defaultSize(), model.sideMin(), model.sideMax(), model.granularity())
          .filter(model::fits)
          .orElseThrow(() -> size(model, "aspect_ratio", "cannot paint " + ratio.get()));
    }
    Size size = body.size().orElse(model.defaultSize());
    if (!model.fits(size)) {
      throw size(model, "width", "cannot paint " + size);
    }
    return size;
  }

  private static RequestException size(ModelCard model, String parameter, String problem) {
    return new RequestException(
        422,
        "model.size",
        parameter,
        String.format(
            Locale.ROOT,
            "%s %s: width and height are multiples of %d from %d to %d, with at most %d pixels.",
            model.name(),
            problem,
            model.granularity(),
            model.sideMin(),
            model.sideMax(),
            model.pixelsMax()));
  }

  private static String scheduler(ModelCard model, SubmitBody body) {
    String name = body.scheduler().orElse(model.scheduler());
    if (!model.schedulers().contains(name)) {
      throw new RequestException(
          422,
          "model.scheduler",
          "scheduler",
          model.name()
              + " has no scheduler "
              + PromptText.quote(name)
              + "; it has "
              + String.join(", ", model.schedulers())
              + ".");
    }
    return name;
  }

  private static int clipSkip(ModelCard model, SubmitBody body) {
    int skip = body.clipSkip().orElse(0);
    if (skip > model.clipSkipMax()) {
      throw new RequestException(
          422,
          "model.clip_skip",
          "clip_skip",
          model.name()
              + " can skip at most "
              + model.clipSkipMax()
              + " layers of its text encoder.");
    }
    return skip;
  }

  private static int first(OptionalInt prompt, OptionalInt body, int otherwise) {
    return prompt.orElse(body.orElse(otherwise));
  }
}
