package dev.tintype.gateway;

import dev.tintype.gateway.prompt.Size;
import java.util.List;
import java.util.Objects;

/**
 * What the gateway has to know of a model to check a recipe against it.
 *
 * @param name as users write it, "tintype-mini"; 1 to 100 characters of {@code A-Za-z0-9._/-}
 * @param description one line for people
 * @param defaultSize size in pixels when a request names none; its area is the one for other aspect
 *     ratios
 * @param sideMin smallest width and height, pixels
 * @param sideMax largest width and height, pixels
 * @param pixelsMax largest width times height
 * @param granularity width and height are multiples of this, pixels; a multiple of 8
 * @param steps default number of denoising steps, 1 to 150
 * @param guidanceScale default classifier-free guidance, 0 to 30
 * @param guidanceRescale default guidance rescale, 0 to 1
 * @param scheduler default scheduler, one of {@code schedulers}
 * @param schedulers all that the model may be sampled with, lower case
 * @param clipSkipMax how many last layers of the text encoder may be left out, 0 to 12
 */
public record ModelCard(
    String name,
    String description,
    Size defaultSize,
    int sideMin,
    int sideMax,
    long pixelsMax,
    int granularity,
    int steps,
    double guidanceScale,
    double guidanceRescale,
    String scheduler,
    List<String> schedulers,
    int clipSkipMax) {

  public ModelCard {
    Objects.requireNonNull(description);
    schedulers = List.copyOf(schedulers);
    require(name.matches("[A-Za-z0-9._/-]{1,100}"), "name", name);
    require(granularity >= 8 && granularity % 8 == 0, "granularity", granularity);
    require(sideMin >= granularity && sideMin % granularity == 0, "sideMin", sideMin);
    require(sideMax >= sideMin && sideMax <= 8192, "sideMax", sideMax);
    require(steps >= 1 && steps <= 150, "steps", steps);
    require(guidanceScale >= 0 && guidanceScale <= 30, "guidanceScale", guidanceScale);
    require(guidanceRescale >= 0 && guidanceRescale <= 1, "guidanceRescale", guidanceRescale);
    require(schedulers.contains(scheduler), "scheduler", scheduler);
    require(clipSkipMax >= 0 && clipSkipMax <= 12, "clipSkipMax", clipSkipMax);
    require(
        fits(defaultSize, sideMin, sideMax, pixelsMax, granularity), "defaultSize", defaultSize);
  }

  /** Whether the model can paint this size. */
  public boolean fits(Size size) {
    return fits(size, sideMin, sideMax, pixelsMax, granularity);
  }

  private static boolean fits(Size size, int min, int max, long pixelsMax, int granularity) {
    return size.width() >= min
        && size.height() >= min
        && size.width() <= max
        && size.height() <= max
        && size.width() % granularity == 0
        && size.height() % granularity == 0
        && (long) size.width() * size.height() <= pixelsMax;
  }

  private static void require(boolean holds, String field, Object value) {
    if (!holds) {
      throw new IllegalArgumentException("model card: " + field + " cannot be " + value);
    }
  }
}
