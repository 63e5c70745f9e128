package dev.tintype.perf.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FaultPlanTest {
  private static final Duration MINUTE = Duration.ofSeconds(60);

  /** The names of a fleet, and nothing that runs. */
  private record Names(List<String> killable, List<String> lines) implements Cluster {
    static final Names FLEET =
        new Names(
            List.of(
                "redis",
                "kafka",
                "s3",
                "edge-1",
                "gateway-1",
                "gateway-2",
                "relay-1",
                "relay-2",
                "worker-1",
                "worker-2",
                "postgres"),
            List.of("clients", "kafka", "postgres", "redis", "s3"));

    @Override
    public String origin() {
      throw new UnsupportedOperationException();
    }

    @Override
    public String apiKey() {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<String> pausable() {
      return killable;
    }

    @Override
    public void kill(String target) {}

    @Override
    public void pause(String target) {}

    @Override
    public void resume(String target) {}

    @Override
    public void line(String target, FaultyProxy.Line line) {}

    @Override
    public List<String> revive() {
      return List.of();
    }

    @Override
    public void close() {}
  }

  /** What a plan does within the time; kills take none of it, other faults last. */
  private static List<Fault> within(Duration time, FaultPlan plan) {
    List<Fault> faults = new ArrayList<>();
    Duration at = Duration.ZERO;
    while (true) {
      FaultPlan.Step step = plan.next();
      at = at.plus(step.gap());
      if (at.compareTo(time) >= 0) {
        return faults;
      }
      faults.add(step.fault());
      at = at.plus(step.fault().lasting());
    }
  }

  private static Set<String> kinds(List<Fault> faults) {
    return faults.stream().map(Fault::kind).collect(Collectors.toSet());
  }

  @Test
  void everyKindOfProcessIsKilledWithinAMinuteAndEveryLineFaultHappens() {
    for (long seed = 0; seed < 500; seed++) {
      assertThat(kinds(within(MINUTE, FaultPlan.kills(seed, Names.FLEET, MINUTE))))
          .as("seed %d", seed)
          .containsExactlyInAnyOrder(
              "redis", "kafka", "s3", "edge", "gateway", "relay", "worker", "postgres");
      assertThat(kinds(within(MINUTE, FaultPlan.pauses(seed, Names.FLEET, MINUTE))))
          .as("seed %d", seed)
          .containsExactlyInAnyOrder("pause_3_s", "pause_18_s");
      assertThat(kinds(within(MINUTE, FaultPlan.lines(seed, Names.FLEET))))
          .as("seed %d", seed)
          .containsExactlyInAnyOrder("reset", "slow", "narrow", "silent");
    }
  }

  @Test
  void inAnHourEveryProcessIsKilledAndEveryLineSuffersEverything() {
    Duration hour = Duration.ofHours(1);
    assertThat(within(hour, FaultPlan.kills(1, Names.FLEET, hour)))
        .extracting(fault -> ((Fault.Kill) fault).target())
        .containsAll(Names.FLEET.killable())
        .hasSizeGreaterThan(300);
    assertThat(Set.copyOf(within(hour, FaultPlan.lines(1, Names.FLEET)))).hasSize(20);
  }

  @Test
  void theSameSeedPlansTheSameAndAnotherSeedSomethingElse() {
    Supplier<Stream<FaultPlan>> seven =
        () ->
            Stream.of(
                FaultPlan.kills(7, Names.FLEET, MINUTE),
                FaultPlan.pauses(7, Names.FLEET, MINUTE),
                FaultPlan.lines(7, Names.FLEET));
    assertThat(seven.get().map(plan -> steps(plan)).toList())
        .isEqualTo(seven.get().map(plan -> steps(plan)).toList());
    assertThat(steps(FaultPlan.kills(8, Names.FLEET, MINUTE)))
        .isNotEqualTo(steps(FaultPlan.kills(7, Names.FLEET, MINUTE)));
  }

  private static List<FaultPlan.Step> steps(FaultPlan plan) {
    return Stream.generate(plan::next).limit(100).toList();
  }
}
