package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.schedule.SchedulerKind;
import java.util.Optional;

/**
 * Everything that decides a picture, beside the model. Validates what does not depend on the model;
 * the rest is checked when the recipe is admitted.
 *
 * @param prompt what to show, at most {@link #PROMPT_CHARS_MAX} characters; the encoder reads the
 *     first 75 tokens
 * @param negativePrompt what not to show; used when {@code guidanceScale} is above 1
 * @param width in pixels, a multiple of the model's size granularity
 * @param height in pixels, likewise
 * @param steps denoising steps; the time of a picture is proportional to it
 * @param guidanceScale 1 or less: no guidance, half the work
 * @param guidanceRescale 0 to 1, against overexposure at high guidance (Lin et al. 2023)
 * @param eta fresh noise per step of DDIM, 0 to 1; other schedulers ignore it
 * @param scheduler a name of {@link SchedulerKind#userNames()}; empty for the model's own
 * @param seed of all random numbers of this picture
 * @param clipSkip how many of the text encoder's last layers are left out
 * @param init a picture to start from
 * @param mask 1 where the picture is made anew, 0 where it stays; needs {@code init}
 */
public record Recipe(
    String prompt,
    String negativePrompt,
    int width,
    int height,
    int steps,
    double guidanceScale,
    double guidanceRescale,
    double eta,
    Optional<String> scheduler,
    long seed,
    int clipSkip,
    Optional<Init> init,
    Optional<Picture> mask) {
  public static final int PROMPT_CHARS_MAX = 10_000;
  public static final int EXTENT_PIXELS_MIN = 8;
  public static final int EXTENT_PIXELS_MAX = 4_096;

  /** Area: what a card of 24 GB can decode. */
  public static final int AREA_PIXELS_MAX = 2_048 * 2_048;

  public static final int STEPS_MAX = 1_000;
  public static final double GUIDANCE_MAX = 100;
  public static final int CLIP_SKIP_MAX = 24;

  /**
   * A picture to start from.
   *
   * @param picture of the recipe's width and height
   * @param strength how much of it is made anew, above 0 to 1
   */
  public record Init(Picture picture, double strength) {
    public Init {
      if (!(strength > 0 && strength <= 1)) {
        throw new RecipeException(
            "recipe.strength", "strength must be above 0 and at most 1, not " + strength);
      }
      if (picture.channels() != 3) {
        throw new RecipeException("recipe.image", "the picture to start from must be RGB");
      }
    }
  }

  public Recipe {
    text("prompt", prompt);
    text("negative prompt", negativePrompt);
    extent("width", width);
    extent("height", height);
    require(
        (long) width * height <= AREA_PIXELS_MAX,
        "recipe.size",
        width + "x" + height + " is more than " + AREA_PIXELS_MAX + " pixels");
    require(
        steps >= 1 && steps <= STEPS_MAX,
        "recipe.steps",
        "steps must be from 1 to " + STEPS_MAX + ", not " + steps);
    number("recipe.guidance", "guidance scale", guidanceScale, 0, GUIDANCE_MAX);
    number("recipe.guidance", "guidance rescale", guidanceRescale, 0, 1);
    number("recipe.eta", "eta", eta, 0, 1);
    scheduler.ifPresent(
        name ->
            require(
                SchedulerKind.userNames().contains(name),
                "recipe.scheduler",
                "no scheduler '" + name + "'; known are " + SchedulerKind.userNames()));
    require(
        clipSkip >= 0 && clipSkip <= CLIP_SKIP_MAX,
        "recipe.clip_skip",
        "clip skip must be from 0 to " + CLIP_SKIP_MAX + ", not " + clipSkip);
    if (init.isPresent()) {
      sameSize("recipe.image", "picture to start from", init.get().picture(), width, height);
      require(
          (int) (steps * init.get().strength()) >= 1,
          "recipe.strength",
          "strength "
              + init.get().strength()
              + " of "
              + steps
              + " steps leaves no step to run; raise either");
    }
    if (mask.isPresent()) {
      require(init.isPresent(), "recipe.mask", "a mask needs a picture to start from");
      require(mask.get().channels() == 1, "recipe.mask", "a mask has one channel");
      sameSize("recipe.mask", "mask", mask.get(), width, height);
    }
  }

  /** A plain recipe: no negative prompt, 30 steps, guidance 7.5, the model's scheduler. */
  public static Recipe of(String prompt, int width, int height, long seed) {
    return new Recipe(
        prompt,
        "",
        width,
        height,
        30,
        7.5,
        0,
        0,
        Optional.empty(),
        seed,
        0,
        Optional.empty(),
        Optional.empty());
  }

  public Recipe withSteps(int count) {
    return new Recipe(
        prompt,
        negativePrompt,
        width,
        height,
        count,
        guidanceScale,
        guidanceRescale,
        eta,
        scheduler,
        seed,
        clipSkip,
        init,
        mask);
  }

  /** Whether each step needs the prediction without the prompt too. */
  public boolean guided() {
    return guidanceScale > 1;
  }

  private static void text(String what, String text) {
    require(
        text.length() <= PROMPT_CHARS_MAX,
        "recipe.prompt",
        what + " has " + text.length() + " characters, at most " + PROMPT_CHARS_MAX);
  }

  private static void extent(String what, int pixels) {
    require(
        pixels >= EXTENT_PIXELS_MIN && pixels <= EXTENT_PIXELS_MAX,
        "recipe.size",
        what
            + " must be from "
            + EXTENT_PIXELS_MIN
            + " to "
            + EXTENT_PIXELS_MAX
            + " pixels, not "
            + pixels);
  }

  private static void number(String code, String what, double value, double min, double max) {
    // Written so that NaN fails.
    require(
        value >= min && value <= max,
        code,
        what + " must be from " + min + " to " + max + ", not " + value);
  }

  private static void sameSize(String code, String what, Picture picture, int width, int height) {
    require(
        picture.width() == width && picture.height() == height,
        code,
        "the "
            + what
            + " is "
            + picture.width()
            + "x"
            + picture.height()
            + ", the recipe "
            + width
            + "x"
            + height);
  }

  private static void require(boolean holds, String code, String message) {
    if (!holds) {
      throw new RecipeException(code, message);
    }
  }
}
