package dev.tintype.gateway.prompt;

import dev.tintype.gateway.problem.GatewayException.PromptException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Width to height, as two whole numbers: 16:9.
 *
 * @param width 1 to {@link #TERM_MAX}
 * @param height 1 to {@link #TERM_MAX}; the ratio is between 1:{@link #RATIO_MAX} and {@link
 *     #RATIO_MAX}:1
 */
public record AspectRatio(int width, int height) {
  /** Wider or taller than this, pictures of latent models repeat themselves. */
  public static final int RATIO_MAX = 4;

  /**
   * Enough for any ratio in pixels (1920:1080), small enough that products stay far from overflow.
   */
  public static final int TERM_MAX = 10_000;

  /** How far the best size may be from the ratio asked, in natural logarithm (0.14 is 15 %). */
  private static final double RATIO_ERROR_MAX = 0.14;

  private static final Pattern SYNTAX = Pattern.compile("([0-9]{1,5}):([0-9]{1,5})");

  public AspectRatio {
    if (!allowed(width, height)) {
      throw new IllegalArgumentException("aspect ratio " + width + ":" + height);
    }
  }

  private static boolean allowed(int width, int height) {
    return width >= 1
        && height >= 1
        && width <= TERM_MAX
        && height <= TERM_MAX
        && width <= height * RATIO_MAX
        && height <= width * RATIO_MAX;
  }

  /**
   * Reads "W:H".
   *
   * @param parameter the name of the parameter for the error: "--ar" or "aspect_ratio"
   * @throws PromptException code prompt.aspect_ratio
   */
  public static AspectRatio parse(String parameter, String value) {
    Matcher matcher = SYNTAX.matcher(value);
    if (matcher.matches()) {
      int width = Integer.parseInt(matcher.group(1));
      int height = Integer.parseInt(matcher.group(2));
      if (allowed(width, height)) {
        return new AspectRatio(width, height);
      }
    }
    throw new PromptException(
        "prompt.aspect_ratio",
        parameter,
        parameter
            + " is a width and a height as whole numbers, between 1:4 and 4:1, such as 16:9 or 2:3;"
            + " found "
            + PromptText.quote(value)
            + ".");
  }

  /**
   * The size nearest to this ratio whose area is nearest to that of the model's default size.
   *
   * @return a size whose sides are multiples of {@code granularity} in {@code [min, max]}; empty
   *     when none of them is within 15 % of the ratio
   */
  public Optional<Size> fit(Size defaults, int min, int max, int granularity) {
    double ratio = (double) width / height;
    double area = (double) defaults.width() * defaults.height();
    int first = Math.ceilDiv(min, granularity) * granularity;
    int last = Math.floorDiv(max, granularity) * granularity;
    Size best = null;
    double bestCost = Double.POSITIVE_INFINITY;
    for (int w = first; w <= last; w += granularity) {
      int below = (int) Math.floor(w / ratio / granularity) * granularity;
      for (int h = below; h <= below + granularity; h += granularity) {
        if (h < first || h > last) {
          continue;
        }
        double ratioError = Math.abs(Math.log((double) w / h / ratio));
        if (ratioError > RATIO_ERROR_MAX) {
          continue;
        }
        // The ratio is what was asked for; the area is only a habit of the model. Hence the weight
        // of 2.
        double cost = 2 * ratioError + Math.abs(Math.log((double) w * h / area));
        if (cost < bestCost) {
          bestCost = cost;
          best = new Size(w, h);
        }
      }
    }
    return Optional.ofNullable(best);
  }

  @Override
  public String toString() {
    return width + ":" + height;
  }
}
