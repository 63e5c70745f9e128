package dev.tintype.queue.job;

import dev.tintype.queue.QueueException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;

/**
 * The recipe of a job: everything that decides what the pictures look like, and nothing else. Two
 * jobs with equal specs and the same model files give the same pictures. The seed is part of it:
 * whoever submits draws one where the user named none, so that a retry paints the same picture
 * again.
 *
 * <p>This class checks only what no model could ever do (limits that protect the platform); what a
 * certain model can do is checked by the gateway with the model's card in hand. Codes: {@code
 * job.spec.FIELD}, where FIELD is the name in JSON.
 *
 * @param model name of the model, 1..128 characters of {@code A-Za-z0-9._/-}
 * @param prompt what to paint, at most {@link #PROMPT_BYTES_MAX} bytes of UTF-8; may be empty
 * @param negativePrompt what to avoid; may be empty
 * @param width pixels, 8..{@link #SIDE_PIXELS_MAX}, a multiple of 8
 * @param height pixels, 8..{@link #SIDE_PIXELS_MAX}, a multiple of 8
 * @param steps denoising steps, 1..{@link #STEPS_MAX}
 * @param guidanceScale classifier-free guidance, 0..100; 1 and below means none
 * @param guidanceRescale 0..1, "Common Diffusion Noise Schedules", section 3.4; 0 means none
 * @param scheduler name such as {@code ddim}, or empty for the model's own
 * @param eta share of fresh noise in DDIM, 0..1
 * @param seed of the first image, 0..2^63-1; image i of the job uses seed + i
 * @param images how many pictures, 1..{@link #IMAGES_MAX}
 * @param clipSkip layers of the text encoder left out at its end, 0..12
 * @param strength how much of the initial image is repainted, 0..1; used only with {@code
 *     initImage}
 * @param initImage SHA-256 of a blob to start from, or empty
 * @param maskImage SHA-256 of a blob whose white parts are repainted, or empty; needs {@code
 *     initImage}
 */
public record JobSpec(
    String model,
    String prompt,
    String negativePrompt,
    int width,
    int height,
    int steps,
    double guidanceScale,
    double guidanceRescale,
    Optional<String> scheduler,
    double eta,
    long seed,
    int images,
    int clipSkip,
    double strength,
    Optional<String> initImage,
    Optional<String> maskImage) {
  public static final int PROMPT_BYTES_MAX = 16 * 1024;
  public static final int SIDE_PIXELS_MAX = 8192;
  public static final int STEPS_MAX = 1000;
  public static final int IMAGES_MAX = 64;
  public static final int NAME_CHARS_MAX = 128;

  public JobSpec {
    check(isName(model), "model", "is 1 to 128 letters, digits and . _ / -");
    checkText(prompt, "prompt");
    checkText(negativePrompt, "negative_prompt");
    checkSide(width, "width");
    checkSide(height, "height");
    check(steps >= 1 && steps <= STEPS_MAX, "steps", "is a whole number from 1 to " + STEPS_MAX);
    check(
        guidanceScale >= 0 && guidanceScale <= 100, "guidance_scale", "is a number from 0 to 100");
    check(
        guidanceRescale >= 0 && guidanceRescale <= 1,
        "guidance_rescale",
        "is a number from 0 to 1");
    check(
        scheduler.map(JobSpec::isName).orElse(true),
        "scheduler",
        "is 1 to 128 letters, digits and . _ / -");
    check(eta >= 0 && eta <= 1, "eta", "is a number from 0 to 1");
    check(seed >= 0, "seed", "is a whole number from 0 to 9223372036854775807");
    check(
        images >= 1 && images <= IMAGES_MAX, "images", "is a whole number from 1 to " + IMAGES_MAX);
    check(clipSkip >= 0 && clipSkip <= 12, "clip_skip", "is a whole number from 0 to 12");
    check(strength >= 0 && strength <= 1, "strength", "is a number from 0 to 1");
    check(
        initImage.map(Sha256::isHex).orElse(true),
        "init_image",
        "is the SHA-256 of a stored picture, 64 hex digits");
    check(
        maskImage.map(Sha256::isHex).orElse(true),
        "mask_image",
        "is the SHA-256 of a stored picture, 64 hex digits");
    check(
        maskImage.isEmpty() || initImage.isPresent(), "mask_image", "needs an init_image to mask");
  }

  /** The kinds of work, told apart by the pictures that the recipe starts from. */
  public enum Kind {
    TEXT_TO_IMAGE,
    IMAGE_TO_IMAGE,
    INPAINT
  }

  public Kind kind() {
    if (maskImage.isPresent()) {
      return Kind.INPAINT;
    }
    return initImage.isPresent() ? Kind.IMAGE_TO_IMAGE : Kind.TEXT_TO_IMAGE;
  }

  /** The versioned JSON form, as stored; see {@link JobSpecJson}. */
  public String toJson() {
    return JobSpecJson.write(this);
  }

  /** Reads any version that was ever written. */
  public static JobSpec fromJson(String json) {
    return JobSpecJson.read(json);
  }

  /** A builder with the defaults: 512 x 512, 20 steps, guidance 7.5, one picture, seed 0. */
  public static Builder builder(String model, String prompt) {
    return new Builder(model, prompt);
  }

  private static boolean isName(String name) {
    return name != null && name.matches("[A-Za-z0-9._/-]{1," + NAME_CHARS_MAX + "}");
  }

  private static void checkText(String text, String field) {
    check(
        text != null
            && text.length() <= PROMPT_BYTES_MAX
            && text.getBytes(StandardCharsets.UTF_8).length <= PROMPT_BYTES_MAX
            && text.indexOf('\0') < 0,
        field,
        "is at most " + PROMPT_BYTES_MAX + " bytes of UTF-8 without NUL");
  }

  private static void checkSide(int side, String field) {
    check(
        side >= 8 && side <= SIDE_PIXELS_MAX && side % 8 == 0,
        field,
        "is a multiple of 8 from 8 to " + SIDE_PIXELS_MAX);
  }

  private static void check(boolean holds, String field, String rule) {
    if (!holds) {
      throw new QueueException.Invalid("job.spec." + field, field + " " + rule + ".");
    }
  }

  /** Collects a recipe field by field; {@link #build()} checks it. */
  public static final class Builder {
    private final String model;
    private final String prompt;
    private String negativePrompt = "";
    private int width = 512;
    private int height = 512;
    private int steps = 20;
    private double guidanceScale = 7.5;
    private double guidanceRescale;
    private Optional<String> scheduler = Optional.empty();
    private double eta;
    private long seed;
    private int images = 1;
    private int clipSkip;
    private double strength = 0.8;
    private Optional<String> initImage = Optional.empty();
    private Optional<String> maskImage = Optional.empty();

    private Builder(String model, String prompt) {
      this.model = model;
      this.prompt = Objects.requireNonNull(prompt);
    }

    public Builder negativePrompt(String text) {
      negativePrompt = text;
      return this;
    }

    public Builder size(int widthPixels, int heightPixels) {
      width = widthPixels;
      height = heightPixels;
      return this;
    }

    public Builder steps(int count) {
      steps = count;
      return this;
    }

    public Builder guidanceScale(double scale) {
      guidanceScale = scale;
      return this;
    }

    public Builder guidanceRescale(double rescale) {
      guidanceRescale = rescale;
      return this;
    }

    public Builder scheduler(String name) {
      scheduler = Optional.of(name);
      return this;
    }

    public Builder eta(double value) {
      eta = value;
      return this;
    }

    public Builder seed(long value) {
      seed = value;
      return this;
    }

    public Builder images(int count) {
      images = count;
      return this;
    }

    public Builder clipSkip(int layers) {
      clipSkip = layers;
      return this;
    }

    public Builder strength(double value) {
      strength = value;
      return this;
    }

    public Builder initImage(String sha256) {
      initImage = Optional.of(sha256);
      return this;
    }

    public Builder maskImage(String sha256) {
      maskImage = Optional.of(sha256);
      return this;
    }

    public JobSpec build() {
      return new JobSpec(
          model,
          prompt,
          negativePrompt,
          width,
          height,
          steps,
          guidanceScale,
          guidanceRescale,
          scheduler,
          eta,
          seed,
          images,
          clipSkip,
          strength,
          initImage,
          maskImage);
    }
  }
}
