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
    // 10 GPUs, a quarter of them less the reserve: 2; in 300 s they do 600 s of work.
    assertThat(admission.decide("slow", 590_000, 10_000, 10))
        .isEqualTo(new Decision.Admit(Duration.ofSeconds(300)));
    assertThat(admission.decide("slow", 590_000, 12_000, 10))
        .isEqualTo(new Decision.Refuse(Duration.ofSeconds(301), Duration.ofSeconds(1)));
  }

  @Test
  void tellsWhenToComeAgain() {
    // 6 of 10 GPUs in half a minute: 180 s of work; 360 s wait, so 30 s until half is done.
    assertThat(admission.decide("quick", 354_000, 6_000, 10.0 / 0.75 / 0.8 * 0.6))
        .isInstanceOfSatisfying(
            Decision.Refuse.class,
            refuse -> assertThat(refuse.retryAfter()).isEqualTo(Duration.ofSeconds(30)));
  }

  @Test
  void aHugeJobOnAnEmptyTierHarmsNobody() {
    assertThat(admission.decide("quick", 0, 10_000_000, 1)).isInstanceOf(Decision.Admit.class);
    assertThat(admission.decide("quick", 1, 10_000_000, 1)).isInstanceOf(Decision.Refuse.class);
  }

  @Test
  void withoutGpusNothingIsPromised() {
    assertThat(admission.decide("quick", 0, 1, 0)).isInstanceOf(Decision.Refuse.class);
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThatThrownBy(() -> admission.decide("none", 0, 1, 1))
        .isInstanceOf(QueueException.Invalid.class);
    assertThatThrownBy(() -> new Admission(List.of(tier("a", 1, 1)), 1))
        .isInstanceOf(QueueException.Invalid.class);
  }

  private static Backlog waits(String tier, long ms) {
    return new Backlog(tier, "m", ms);
  }

  @Test
  void expectsWhatAllTiersHaveDoneUntilTheOwnWorkIsDone() {
    // Weights 1 and 3: while 10 s of slow are done, quick gets 30 s.
    List<Backlog> both = List.of(waits("slow", 10_000), waits("quick", 90_000));
    assertThat(admission.expectedWait("slow", both, 2)).isEqualTo(Duration.ofSeconds(20));
    // While 90 s of quick are done, slow has had all of its 10 s.
    assertThat(admission.expectedWait("quick", both, 2)).isEqualTo(Duration.ofSeconds(50));
    assertThat(admission.expectedWait("slow", List.of(waits("quick", 90_000)), 2)).isZero();
    assertThat(admission.expectedWait("slow", List.of(), 1)).isZero();
  }

  @Test
  void workOfAllModelsIsCountedAndOfNoOtherTier() {
    List<Backlog> waiting =
        List.of(
            new Backlog("slow", "a", 300_000),
            new Backlog("slow", "b", 290_000),
            waits("quick", 9_000_000));
    assertThat(admission.decide("slow", waiting, 10_000, 10)).isInstanceOf(Decision.Admit.class);
    assertThat(admission.decide("slow", waiting, 12_000, 10)).isInstanceOf(Decision.Refuse.class);
  }
}
