package dev.tintype.queue.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.relay.Admission.Decision;
import dev.tintype.queue.store.Backlog;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AdmissionTest {
  private final Admission admission =
      new Admission(List.of(tier("slow", 1, 600), tier("quick", 3, 60)), 0.2);

  private static Tier tier(String name, int weight, int boundS) {
    return new Tier(
        name, weight, Duration.ofSeconds(boundS), 9, 9, Duration.ofDays(1), TierClass.NORMAL);
  }

  @Test
  void admitsWhatItsShareCanDoInHalfTheBound() {
    // 10 GPUs, a quarter of them less the reserve: 2; nine tenths of it: in 300 s 540 s of work.
    assertThat(admission.decide("slow", false, 530_000, 10_000, 10))
        .isEqualTo(new Decision.Admit(Duration.ofSeconds(300)));
    assertThat(admission.decide("slow", false, 530_000, 11_800, 10))
        .isEqualTo(new Decision.Refuse(Duration.ofSeconds(301), Duration.ofSeconds(1)));
  }

  @Test
  void tellsWhenToComeAgain() {
    // 6 GPUs in half a minute: 180 s of work; 360 s wait, so 30 s until half is done.
    assertThat(admission.decide("quick", false, 354_000, 6_000, 6 / 0.75 / 0.8 / 0.9))
        .isInstanceOfSatisfying(
            Decision.Refuse.class,
            refuse -> assertThat(refuse.retryAfter()).isEqualTo(Duration.ofSeconds(30)));
  }

  @Test
  void aHugeJobOnAnEmptyTierHarmsNobody() {
    assertThat(admission.decide("quick", false, 0, 10_000_000, 1))
        .isInstanceOf(Decision.Admit.class);
    assertThat(admission.decide("quick", false, 1, 10_000_000, 1))
        .isInstanceOf(Decision.Refuse.class);
  }

  @Test
  void withoutGpusNothingIsPromised() {
    assertThat(admission.decide("quick", false, 0, 1, 0)).isInstanceOf(Decision.Refuse.class);
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThatThrownBy(() -> admission.decide("none", false, 0, 1, 1))
        .isInstanceOf(QueueException.Invalid.class);
    assertThatThrownBy(() -> new Admission(List.of(tier("a", 1, 1)), 1))
        .isInstanceOf(QueueException.Invalid.class);
  }

  private static Backlog waits(String tier, long ms) {
    return new Backlog(tier, false, "m", ms);
  }

  @Test
  void expectsWhatAllTiersHaveDoneUntilTheOwnWorkIsDone() {
    // Weights 1 and 3: while 10 s of slow are done, quick gets 30 s.
    List<Backlog> both = List.of(waits("slow", 10_000), waits("quick", 90_000));
    assertThat(admission.expectedWait("slow", false, both, pool -> 2))
        .isEqualTo(Duration.ofSeconds(20));
    // While 90 s of quick are done, slow has had all of its 10 s.
    assertThat(admission.expectedWait("quick", false, both, pool -> 2))
        .isEqualTo(Duration.ofSeconds(50));
    assertThat(admission.expectedWait("slow", false, List.of(waits("quick", 90_000)), pool -> 2))
        .isZero();
    assertThat(admission.expectedWait("slow", false, List.of(), pool -> 1)).isZero();
  }

  @Test
  void workOfAllModelsIsCountedAndOfNoOtherTier() {
    List<Backlog> waiting =
        List.of(
            new Backlog("slow", false, "a", 300_000),
            new Backlog("slow", false, "b", 230_000),
            new Backlog("slow", true, "a", 9_000_000),
            waits("quick", 9_000_000));
    assertThat(admission.decide("slow", false, waiting, 10_000, pool -> 10))
        .isInstanceOf(Decision.Admit.class);
    assertThat(admission.decide("slow", false, waiting, 11_800, pool -> 10))
        .isInstanceOf(Decision.Refuse.class);
  }

  @Test
  void modeRelaxHasATenthOfTheTierAndTenTimesTheBound() {
    // 10 GPUs, a quarter less the reserve: 2; a tenth of it for 3000 s: 600 s of work.
    assertThat(admission.decide("slow", true, 590_000, 10_000, 10))
        .isEqualTo(new Decision.Admit(Duration.ofSeconds(3000)));
    assertThat(admission.decide("slow", true, 590_000, 10_200, 10))
        .isEqualTo(new Decision.Refuse(Duration.ofSeconds(3001), Duration.ofSeconds(1)));
    Backlog relaxed = new Backlog("slow", true, "m", 10_000);
    // While 10 s in mode relax are done, other jobs of the tier get 90 s, and quick three times
    // 100.
    assertThat(
            admission.expectedWait(
                "slow",
                true,
                List.of(relaxed, waits("slow", 500_000), waits("quick", 900_000)),
                pool -> 1))
        .isEqualTo(Duration.ofSeconds(400));
    assertThat(admission.expectedWait("slow", true, List.of(relaxed), pool -> 1))
        .isEqualTo(Duration.ofSeconds(10));
  }

  private static final Map<String, Double> GPUS = Map.of(Tier.SHARED, 10.0, "gold", 4.0);

  private static Admission pools(boolean spills) {
    return new Admission(
        List.of(
            tier("slow", 1, 600), tier("quick", 3, 60), tier("own", 1, 600).inPool("gold", spills)),
        0.2);
  }

  @Test
  void aTierWithAPoolHasAllOfItAndTakesNothingFromOthers() {
    // 4 GPUs less the reserve, nine tenths of them, in 300 s: 864 s of work.
    Admission pools = pools(false);
    assertThat(pools.decide("own", false, 853_000, 10_000, GPUS::get))
        .isInstanceOf(Decision.Admit.class);
    assertThat(pools.decide("own", false, 855_000, 10_000, GPUS::get))
        .isInstanceOf(Decision.Refuse.class);
    assertThat(pools.decide("slow", false, 530_000, 10_000, GPUS::get))
        .isEqualTo(admission.decide("slow", false, 530_000, 10_000, 10));
    List<Backlog> waiting = List.of(waits("own", 40_000), waits("slow", 10_000));
    assertThat(pools.expectedWait("own", false, waiting, GPUS::get))
        .isEqualTo(Duration.ofSeconds(10));
    assertThat(pools.expectedWait("slow", false, waiting, GPUS::get))
        .isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void aTierThatSpillsHasItsShareOfTheSharedWorkersBeside() {
    // A fifth of 10 GPUs beside the 4: 6, less the reserve, nine tenths, in 300 s: 1296 s of work.
    assertThat(pools(true).decide("own", false, 1_285_000, 10_000, GPUS::get))
        .isInstanceOf(Decision.Admit.class);
    assertThat(pools(true).decide("own", false, 1_287_000, 10_000, GPUS::get))
        .isInstanceOf(Decision.Refuse.class);
  }
}
