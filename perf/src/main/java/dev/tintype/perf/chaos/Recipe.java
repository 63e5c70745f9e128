package dev.tintype.perf.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * One of few recipes, so that the same one is painted again and again, by different processes and
 * attempts: its bytes must be equal each time.
 *
 * @param steps few, with some recipes that take long enough to be hit in the middle
 */
record Recipe(int number, long seed, int steps) {
  /** The model that ships; small enough to paint within a second on two cores. */
  static final String MODEL = "tintype-mini";

  private static final List<Recipe> ALL =
      IntStream.range(0, 8).mapToObj(i -> new Recipe(i, 100L + i, i < 6 ? 1 + i % 3 : 20)).toList();

  static Recipe draw(RandomGenerator random) {
    return ALL.get(random.nextInt(ALL.size()));
  }

  /** The body of POST /v1/jobs. */
  String body() {
    return new ObjectMapper()
        .createObjectNode()
        .put("prompt", "a lighthouse number " + number)
        .put("model", MODEL)
        .put("seed", seed)
        .put("steps", steps)
        .toString();
  }
}
