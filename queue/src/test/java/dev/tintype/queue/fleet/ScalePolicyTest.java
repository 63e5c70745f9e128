package dev.tintype.queue.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.fleet.ScalePolicy.Wanted;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.QueueLoad;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ScalePolicyTest {
  private final ScalePolicy policy = new ScalePolicy(2, 50, Duration.ofSeconds(60), 0.5);

  private static QueueLoad load(String model, JobState state, long costMs) {
    return new QueueLoad("pro", model, state, 1, Duration.ZERO, costMs, 0, 0);
  }

  private Wanted wanted(long costMs) {
    return policy
        .wanted(List.of(), List.of(load("a", JobState.QUEUED, costMs)), List.of())
        .get(Place.shared("a"));
  }

  @Test
  void itIsTheWorkOverTheTargetRoundedUp() {
    assertThat(wanted(600_000).workers()).isEqualTo(10);
    assertThat(wanted(600_001).workers()).isEqualTo(11);
  }

  @Test
  void whatWaitsAndWhatRunsCountsAndWhatIsDeadDoesNot() {
    List<QueueLoad> load =
        List.of(
            load("a", JobState.QUEUED, 300_000),
            load("a", JobState.RUNNING, 300_000),
            load("a", JobState.DEAD, 9_000_000));
    assertThat(policy.wanted(List.of(), load, List.of()).get(Place.shared("a")).backlogSum())
        .isEqualTo(600);
  }

  @Test
  void aModelWithoutWorkKeepsItsFloor() {
    assertThat(policy.wanted(List.of(Place.shared("idle")), List.of(), List.of()))
        .containsOnly(Map.entry(Place.shared("idle"), new Wanted(new TreeMap<>(), 2, 0)));
  }

  @Test
  void theFloorIsNeverSpotAndTheCeilingHolds() {
    SplittableRandom random = new SplittableRandom(11);
    int before = 0;
    long cost = 0;
    for (int i = 0; i < 2_000; i++) {
      Wanted wanted = wanted(Math.max(1, cost));
      assertThat(wanted.workers()).isBetween(2, 50).isGreaterThanOrEqualTo(before);
      assertThat(wanted.onDemand()).isGreaterThanOrEqualTo(2);
      assertThat(wanted.spot()).isLessThanOrEqualTo((wanted.workers() - 2) / 2);
      before = wanted.workers();
      cost += random.nextLong(5_000);
    }
    assertThat(before).isEqualTo(50);
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertThatThrownBy(() -> new ScalePolicy(5, 4, Duration.ofSeconds(1), 0))
        .isInstanceOfSatisfying(
            QueueException.Invalid.class, e -> assertThat(e.code()).isEqualTo("scale.policy"));
    assertThatThrownBy(() -> new ScalePolicy(0, 1, Duration.ofSeconds(1), Double.NaN))
        .isInstanceOf(QueueException.Invalid.class);
  }

  @Test
  void theWorkOfATierWithAPoolCountsThereAlone() {
    Tier pro =
        new Tier("pro", 1, Duration.ofHours(1), 1, 1, Duration.ofDays(1), TierClass.NORMAL)
            .inPool("gold", true);
    QueueLoad other = new QueueLoad("free", "a", JobState.QUEUED, 1, Duration.ZERO, 300_000, 0, 0);
    SortedMap<Place, Wanted> wanted =
        policy.wanted(List.of(), List.of(load("a", JobState.QUEUED, 600_000), other), List.of(pro));
    assertThat(wanted.get(new Place("gold", "a")).workers()).isEqualTo(10);
    assertThat(wanted.get(new Place("gold", "a")).backlogS()).containsOnly(Map.entry("pro", 600.0));
    assertThat(wanted.get(Place.shared("a")).workers()).isEqualTo(5);
  }
}
