package dev.tintype.queue.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FairPolicyTest {
  private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
  private static final List<Tier> TIERS =
      List.of(
          tier("free", 1),
          tier("standard", 4),
          tier("fast", 8),
          tier("pro", 16),
          tier("enterprise", 32));

  private final Random random = new Random(11);

  private static Tier tier(String name, int weight) {
    return new Tier(
        name, weight, Duration.ofHours(1), 1000, 1000, Duration.ofDays(1), TierClass.NORMAL);
  }

  private ReadyJob job(String tier, String user, long costMs) {
    return job(tier, user, costMs, Optional.empty());
  }

  private ReadyJob job(String tier, String user, long costMs, Optional<Instant> deadline) {
    return new ReadyJob(
        JobId.next(Clock.fixed(NOW, ZoneOffset.UTC), random),
        user,
        tier,
        "m",
        costMs,
        NOW,
        deadline);
  }

  private List<ReadyJob> jobs(String tier, String user, int count, long costMs) {
    return IntStream.range(0, count).mapToObj(i -> job(tier, user, costMs)).toList();
  }

  private static FairPolicy policy(long seed) {
    return new FairPolicy(TIERS, new Random(seed));
  }

  @Test
  void aUserWithOneJobDoesNotWaitBehindAThousand() {
    FairPolicy policy = policy(1);
    List<ReadyJob> crowd = jobs("standard", "crowd", 1000, 100);
    policy.take(crowd.subList(0, 50), 50, NOW);
    List<ReadyJob> waiting = new ArrayList<>(crowd.subList(50, 100));
    ReadyJob single = job("standard", "single", 100);
    waiting.add(single);
    assertThat(policy.take(waiting, 2, NOW)).contains(single);
  }

  @Test
  void aHugeJobPutsOffOnlyItsOwner() {
    FairPolicy policy = policy(2);
    policy.take(List.of(job("standard", "huge", 100_000)), 1, NOW);
    List<ReadyJob> waiting = new ArrayList<>(jobs("standard", "huge", 5, 100));
    waiting.addAll(jobs("standard", "small", 20, 100));
    assertThat(policy.take(waiting, 20, NOW))
        .filteredOn(job -> job.userId().equals("small"))
        .hasSizeGreaterThanOrEqualTo(19);
  }

  @Test
  void whoWasIdleGetsNoArrears() {
    FairPolicy policy = policy(3);
    policy.take(jobs("standard", "busy", 1000, 100), 1000, NOW);
    List<ReadyJob> waiting = new ArrayList<>(jobs("standard", "busy", 100, 100));
    waiting.addAll(jobs("standard", "idle", 100, 100));
    assertThat(policy.take(waiting, 100, NOW))
        .filteredOn(job -> job.userId().equals("idle"))
        .hasSizeBetween(49, 51);
    waiting = new ArrayList<>(jobs("free", "f", 100, 100));
    waiting.addAll(jobs("standard", "busy", 100, 100));
    assertThat(policy.take(waiting, 20, NOW))
        .filteredOn(job -> job.tier().equals("free"))
        .hasSizeLessThanOrEqualTo(12);
  }

  @Test
  void theEarlierDeadlineBreaksATie() {
    ReadyJob late = job("pro", "a", 100, Optional.of(NOW.plusSeconds(60)));
    ReadyJob early = job("pro", "b", 100, Optional.of(NOW.plusSeconds(30)));
    ReadyJob none = job("pro", "c", 100);
    assertThat(policy(4).take(List.of(none, late, early), 3, NOW))
        .containsExactly(early, late, none);
  }

  @Test
  void jobsOfOneUserKeepTheirOrder() {
    List<ReadyJob> mine = jobs("pro", "a", 10, 100);
    assertThat(policy(5).take(mine, 10, NOW)).containsExactlyElementsOf(mine);
  }

  @Test
  void aRefundedJobIsNotPaidFor() {
    FairPolicy policy = policy(6);
    ReadyJob dear = job("pro", "a", 1_000_000);
    policy.take(List.of(dear), 1, NOW);
    policy.refund(dear);
    ReadyJob again = job("pro", "a", 100);
    ReadyJob other = job("free", "b", 100);
    assertThat(policy.take(List.of(again, other), 2, NOW)).containsExactlyInAnyOrder(again, other);
    List<ReadyJob> both = new ArrayList<>(jobs("pro", "a", 50, 100));
    both.addAll(jobs("free", "b", 50, 100));
    assertThat(policy.take(both, 10, NOW))
        .filteredOn(job -> job.tier().equals("pro"))
        .hasSizeGreaterThanOrEqualTo(8);
  }

  @Test
  void unknownTiersAreLeftOutAndSameSeedSameOrder() {
    List<ReadyJob> waiting = new ArrayList<>(jobs("nobody's", "x", 3, 100));
    IntStream.range(0, 50).forEach(i -> waiting.add(job("pro", "u" + i, 100)));
    List<ReadyJob> order = policy(7).take(waiting, 100, NOW);
    assertThat(order).hasSize(50);
    assertThat(policy(7).take(waiting, 100, NOW)).isEqualTo(order);
    assertThat(policy(8).take(waiting, 100, NOW)).isNotEqualTo(order);
  }

  /**
   * A simulation in GPU-ms: every tier has ten users who always have jobs of random cost (50 to
   * 5000 ms) waiting; one GPU serves in the policy's order. Then each tier's share of the time is
   * its weight's, the slowest has its floor, and users within a tier have equal time however many
   * jobs they sent or how large they are.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void sharesAreFairUnderLoad(long seed) {
    Random draws = new Random(seed);
    FairPolicy policy = policy(seed);
    Map<String, Long> tierMs = new HashMap<>();
    Map<String, Long> userMs = new HashMap<>();
    List<ReadyJob> waiting = new ArrayList<>();
    for (Tier tier : TIERS) {
      for (int user = 0; user < 10; user++) {
        refill(waiting, tier.name(), tier.name() + user, user, draws);
      }
    }
    long total = 0;
    for (int round = 0; round < 6000; round++) {
      for (ReadyJob job : policy.take(waiting, 4, NOW)) {
        total += job.costMs();
        tierMs.merge(job.tier(), job.costMs(), Long::sum);
        userMs.merge(job.userId(), job.costMs(), Long::sum);
        waiting.remove(job);
        int user = job.userId().charAt(job.userId().length() - 1) - '0';
        refill(waiting, job.tier(), job.userId(), user, draws);
      }
    }
    double floor = 60 * FairPolicy.FLOOR_SHARE / (1 - FairPolicy.FLOOR_SHARE);
    for (Tier tier : TIERS) {
      double weight = Math.max(tier.weight(), tier == TIERS.getFirst() ? floor : 0);
      assertThat((double) tierMs.get(tier.name()) / total)
          .as("seed %s, tier %s", seed, tier.name())
          .isCloseTo(weight / (60 + floor), Offset.offset(0.01));
      double[] shares =
          IntStream.range(0, 10)
              .mapToDouble(user -> userMs.getOrDefault(tier.name() + user, 0L))
              .toArray();
      assertThat(jain(shares)).as("seed %s, users of %s", seed, tier.name()).isGreaterThan(0.98);
    }
  }

  /**
   * One head of the queue per user, as the relay sees them; users with a higher number send larger
   * jobs.
   */
  private void refill(List<ReadyJob> waiting, String tier, String user, int size, Random draws) {
    waiting.add(job(tier, user, 50 + draws.nextLong(500L * (size + 1))));
    waiting.sort(Comparator.comparing(ReadyJob::userId));
  }

  /** 1 where all have the same. */
  private static double jain(double[] shares) {
    double sum = 0;
    double squares = 0;
    for (double share : shares) {
      sum += share;
      squares += share * share;
    }
    return sum * sum / (shares.length * squares);
  }

  @Test
  void costGrowsWithStepsPixelsAndPictures() {
    CostModel cost = CostModel.linear(23);
    JobSpec guided = JobSpec.builder("m", "x").steps(20).build();
    assertThat(cost.estimateMs(guided)).isBetween(115L, 125L);
    assertThat(cost.estimateMs(JobSpec.builder("m", "x").steps(40).images(2).build()))
        .isBetween(460L, 500L);
    assertThat(cost.estimateMs(JobSpec.builder("m", "x").guidanceScale(1).build()))
        .isBetween(55L, 65L);
    assertThat(cost.estimateMs(JobSpec.builder("m", "x").size(8, 8).steps(1).build())).isEqualTo(1);
  }

  private ReadyJob old(String tier, String user, Duration age) {
    ReadyJob now = job(tier, user, 1000);
    return new ReadyJob(now.id(), user, tier, "m", 1000, NOW.minus(age), Optional.<Instant>empty());
  }

  @Test
  void whoHasWaitedForHalfTheBoundGoesFirstInItsTierTheOldestInFront() {
    // The bound of every tier here is an hour.
    ReadyJob older = old("free", "late", Duration.ofMinutes(50));
    ReadyJob old = old("free", "mild", Duration.ofMinutes(31));
    ReadyJob young = old("free", "fresh", Duration.ofMinutes(29));
    assertThat(policy(9).take(List.of(young, old, older), 3, NOW))
        .containsExactly(older, old, young);
  }

  @Test
  void ageTakesNothingFromOtherTiers() {
    // Every tier's queue is old: nobody was refused, and all wait for longer than the bound.
    FairPolicy policy = policy(10);
    Map<String, Integer> served = new HashMap<>();
    for (int round = 0; round < 2_000; round++) {
      List<ReadyJob> waiting = new ArrayList<>();
      for (Tier tier : TIERS) {
        waiting.add(old(tier.name(), "any", Duration.ofMinutes(90)));
      }
      policy.take(waiting, 1, NOW).forEach(job -> served.merge(job.tier(), 1, Integer::sum));
    }
    FairPolicy.shares(TIERS)
        .forEach(
            (tier, share) ->
                assertThat(served.get(tier) / 2_000.0)
                    .as(tier)
                    .isCloseTo(share, Offset.offset(0.01)));
  }

  @Test
  void sharesAreOneTogetherAndTheSlowestHasItsFloor() {
    Map<String, Double> shares = FairPolicy.shares(TIERS);
    assertThat(shares.values().stream().mapToDouble(Double::doubleValue).sum())
        .isCloseTo(1, Offset.offset(1e-9));
    assertThat(shares.get("free")).isCloseTo(0.05, Offset.offset(1e-9));
  }

  private ReadyJob job(JobMode mode, String user, Duration age, int userRoom) {
    return new ReadyJob(
        JobId.next(Clock.fixed(NOW, ZoneOffset.UTC), random),
        user,
        "standard",
        mode,
        "m",
        1000,
        NOW.minus(age),
        Optional.<Instant>empty(),
        userRoom);
  }

  private ReadyJob job(JobMode mode, String user) {
    return job(mode, user, Duration.ZERO, 100);
  }

  @Test
  void fastGoesBeforeItsOwnUsersOtherJobsOnly() {
    ReadyJob mine = job(JobMode.NORMAL, "me");
    ReadyJob fast = job(JobMode.FAST, "me");
    ReadyJob other = job(JobMode.NORMAL, "you");
    FairPolicy policy = policy(12);
    List<ReadyJob> order = policy.take(List.of(mine, other, fast), 3, NOW);
    assertThat(order.indexOf(fast)).isLessThan(order.indexOf(mine));
    // Whoever was served last waits for the other, fast or not.
    assertThat(order.indexOf(other)).isLessThan(2);
  }

  @Test
  void anUrgentJobGoesBeforeItsUsersFastOnes() {
    ReadyJob old = job(JobMode.NORMAL, "me", Duration.ofMinutes(31), 100);
    ReadyJob fast = job(JobMode.FAST, "me");
    assertThat(policy(13).take(List.of(fast, old), 2, NOW)).containsExactly(old, fast);
  }

  @Test
  void relaxHasATenthWhileOthersHaveWorkAndAllOtherwise() {
    FairPolicy policy = policy(14);
    int relaxed = 0;
    for (int round = 0; round < 1_000; round++) {
      List<ReadyJob> waiting = List.of(job(JobMode.RELAX, "a"), job(JobMode.NORMAL, "b"));
      relaxed += policy.take(waiting, 1, NOW).getFirst().mode() == JobMode.RELAX ? 1 : 0;
    }
    assertThat(relaxed).isBetween(99, 101);
    for (int round = 0; round < 100; round++) {
      assertThat(policy.take(List.of(job(JobMode.RELAX, "a")), 1, NOW)).hasSize(1);
    }
    // It was alone, and owes nothing for it.
    assertThat(policy.take(List.of(job(JobMode.RELAX, "a"), job(JobMode.NORMAL, "b")), 2, NOW))
        .hasSize(2);
    relaxed = 0;
    for (int round = 0; round < 1_000; round++) {
      List<ReadyJob> waiting = List.of(job(JobMode.RELAX, "a"), job(JobMode.NORMAL, "b"));
      relaxed += policy.take(waiting, 1, NOW).getFirst().mode() == JobMode.RELAX ? 1 : 0;
    }
    assertThat(relaxed).isBetween(95, 105);
  }

  @Test
  void relaxIsUrgentByItsOwnBoundAndAmongItself() {
    // The bound of the tier is an hour, that of its background lane ten.
    ReadyJob young = job(JobMode.RELAX, "a", Duration.ofHours(4), 100);
    ReadyJob older = job(JobMode.RELAX, "b", Duration.ofHours(6), 100);
    ReadyJob oldest = job(JobMode.RELAX, "c", Duration.ofHours(9), 100);
    ReadyJob normal = job(JobMode.NORMAL, "d");
    List<ReadyJob> order = policy(15).take(List.of(young, older, oldest, normal), 4, NOW);
    assertThat(order).startsWith(normal, oldest, older);
  }

  @Test
  void ofOneUserNoMoreAreTakenThanMayRun() {
    List<ReadyJob> waiting =
        List.of(
            job(JobMode.NORMAL, "me", Duration.ZERO, 2),
            job(JobMode.FAST, "me", Duration.ZERO, 2),
            job(JobMode.RELAX, "me", Duration.ZERO, 2),
            job(JobMode.RELAX, "you", Duration.ZERO, 1));
    assertThat(policy(16).take(waiting, 9, NOW))
        .hasSize(3)
        .filteredOn(job -> job.userId().equals("me"))
        .hasSize(2);
  }
}
