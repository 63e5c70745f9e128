package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.TierClass;
import dev.tintype.worker.StepPolicy.Bucket;
import dev.tintype.worker.StepPolicy.Candidate;
import dev.tintype.worker.StepPolicy.Held;
import java.time.Clock;
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
            relaxed(3, SQUARE),
            relaxed(1, WIDE),
            relaxed(2, SQUARE),
            relaxed(5, WIDE),
            relaxed(4, WIDE));
    assertThat(StepPolicy.pick(running, 2, 1)).containsExactly(relaxed(1, WIDE), relaxed(4, WIDE));
    assertThat(StepPolicy.pick(running, 8, 1)).hasSize(3);
    assertThat(StepPolicy.pick(List.of(), 8, 1)).isEmpty();
  }

  private static Candidate relaxed(long admission, Bucket bucket) {
    return new Candidate(admission, bucket, false);
  }

  @Test
  void theUrgentLeadSaveWhereItIsTheOldestsTurn() {
    Candidate old = relaxed(1, SQUARE);
    Candidate urgent = new Candidate(2, WIDE, true);
    List<Candidate> running = List.of(old, urgent);
    assertThat(StepPolicy.pick(running, 4, 1)).containsExactly(urgent);
    assertThat(StepPolicy.pick(running, 4, 7)).containsExactly(urgent);
    assertThat(StepPolicy.pick(running, 4, 8)).containsExactly(old);
    Candidate fits = relaxed(3, WIDE);
    assertThat(StepPolicy.pick(List.of(old, urgent, fits), 4, 1)).containsExactly(urgent, fits);
  }

  private static Held held(TierClass tierClass, int preemptions, int stepsLeft) {
    return held(tierClass, preemptions, stepsLeft, StepPolicy.PREEMPT_HELD_MS_MIN);
  }

  private static Held held(TierClass tierClass, int preemptions, int stepsLeft, long heldMs) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(stepsLeft);
    return new Held(
        JobId.next(Clock.systemUTC(), random), tierClass, preemptions, stepsLeft, heldMs);
  }

  @Test
  void theYoungestRelaxedJobMakesRoomUnlessItDidTooOftenOrIsNewOrNearlyDone() {
    Held old = held(TierClass.RELAXED, 0, 50);
    Held young = held(TierClass.RELAXED, StepPolicy.PREEMPTIONS_MAX - 1, 20);
    Held tired = held(TierClass.RELAXED, StepPolicy.PREEMPTIONS_MAX, 90);
    Held nearlyDone = held(TierClass.RELAXED, 0, StepPolicy.PREEMPT_STEPS_LEFT_MIN - 1);
    Held fresh = held(TierClass.RELAXED, 0, 60, StepPolicy.PREEMPT_HELD_MS_MIN - 1);
    Held normal = held(TierClass.NORMAL, 0, 30);
    Held urgent = held(TierClass.PRIORITY, 0, 30);
    assertThat(StepPolicy.toPreempt(List.of(urgent, old, young, tired, fresh, nearlyDone, normal)))
        .contains(young);
    assertThat(StepPolicy.toPreempt(List.of(old, tired, urgent))).contains(old);
    assertThat(StepPolicy.toPreempt(List.of(tired, fresh, nearlyDone, normal, urgent))).isEmpty();
    assertThat(StepPolicy.toPreempt(List.of())).isEmpty();
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
    assertBound(seed, false, 1);
    assertBound(seed, true, StepPolicy.OLDEST_EVERY);
  }

  private static void assertBound(long seed, boolean someUrgent, long factor) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    int batchMax = 1 + random.nextInt(4);
    Map<Candidate, Integer> left = new HashMap<>();
    Map<Candidate, Long> mustEndBy = new HashMap<>();
    long admissions = 0;
    for (long tick = 0; tick < 2_000; tick++) {
      if (random.nextInt(10) == 0 && left.size() < 12) {
        Candidate fresh =
            new Candidate(
                admissions++,
                random.nextBoolean() ? SQUARE : WIDE,
                someUrgent && random.nextBoolean());
        int steps = 1 + random.nextInt(20);
        long before = left.values().stream().mapToInt(Integer::intValue).sum();
        left.put(fresh, steps);
        mustEndBy.put(fresh, tick + factor * (before + steps));
      }
      for (Candidate stepped : StepPolicy.pick(new ArrayList<>(left.keySet()), batchMax, tick)) {
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
