package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.worker.StepPolicy.Bucket;
import dev.tintype.worker.StepPolicy.Candidate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepPolicyTest {
  private static final Bucket SQUARE = new Bucket("mini", 256, 256);
  private static final Bucket WIDE = new Bucket("mini", 384, 256);

  @Test
  void theOldestLeadsAndItsBucketFillsTheBatch() {
    List<Candidate> running =
        List.of(
            new Candidate(3, SQUARE),
            new Candidate(1, WIDE),
            new Candidate(2, SQUARE),
            new Candidate(5, WIDE),
            new Candidate(4, WIDE));
    assertThat(StepPolicy.pick(running, 2))
        .containsExactly(new Candidate(1, WIDE), new Candidate(4, WIDE));
    assertThat(StepPolicy.pick(running, 8)).hasSize(3);
    assertThat(StepPolicy.pick(List.of(), 8)).isEmpty();
  }

  @Test
  void halvesDownToOne() {
    assertThat(StepPolicy.halved(8)).isEqualTo(4);
    assertThat(StepPolicy.halved(3)).isEqualTo(1);
    assertThat(StepPolicy.halved(1)).isEqualTo(1);
  }

  /** The promised bound, over random arrivals, sizes and lengths. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void everySampleEndsWithinTheStepsAdmittedBeforeItAndItsOwn(long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    int batchMax = 1 + random.nextInt(4);
    Map<Candidate, Integer> left = new HashMap<>();
    Map<Candidate, Long> mustEndBy = new HashMap<>();
    long admissions = 0;
    for (long tick = 0; tick < 2_000; tick++) {
      if (random.nextInt(10) == 0 && left.size() < 12) {
        Candidate fresh = new Candidate(admissions++, random.nextBoolean() ? SQUARE : WIDE);
        int steps = 1 + random.nextInt(20);
        long before = left.values().stream().mapToInt(Integer::intValue).sum();
        left.put(fresh, steps);
        mustEndBy.put(fresh, tick + before + steps);
      }
      for (Candidate stepped : StepPolicy.pick(new ArrayList<>(left.keySet()), batchMax)) {
        left.merge(stepped, -1, Integer::sum);
      }
      left.values().removeIf(steps -> steps == 0);
      long now = tick;
      assertThat(left.keySet())
          .allSatisfy(waiting -> assertThat(now).isLessThan(mustEndBy.get(waiting)));
    }
    assertThat(admissions).isGreaterThan(50);
  }
}
