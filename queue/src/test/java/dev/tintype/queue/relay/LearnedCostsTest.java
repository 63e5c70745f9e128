package dev.tintype.queue.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.MeasuredJob;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class LearnedCostsTest {
  private static final CostModel GUESS = CostModel.linear(23);

  private final LearnedCosts costs = new LearnedCosts(GUESS);

  private static JobSpec spec(String model, int side, int steps) {
    return JobSpec.builder(model, "x").size(side, side).steps(steps).build();
  }

  private void measured(JobSpec spec, double times) {
    costs.learn(new MeasuredJob(spec, Math.round(GUESS.estimateMs(spec) * times)));
  }

  @Test
  void whatWasNeverSeenHasTheGuess() {
    JobSpec spec = spec("a", 512, 20);
    assertThat(costs.estimateMs(spec)).isEqualTo(GUESS.estimateMs(spec));
  }

  @Test
  void aModelThatIsSlowerThanGuessedIsKnownToBe() {
    JobSpec seen = spec("slow", 512, 20);
    for (int i = 0; i < 5; i++) {
      measured(seen, 40);
    }
    Percentage near = Percentage.withPercentage(5);
    assertThat(costs.estimateMs(seen)).isCloseTo(GUESS.estimateMs(seen) * 40, near);
    JobSpec otherSize = spec("slow", 1024, 50);
    assertThat(costs.estimateMs(otherSize)).isCloseTo(GUESS.estimateMs(otherSize) * 40, near);
    JobSpec otherModel = spec("quick", 512, 20);
    assertThat(costs.estimateMs(otherModel)).isEqualTo(GUESS.estimateMs(otherModel));
  }

  @Test
  void oneStrangeMeasurementMovesLittle() {
    JobSpec spec = spec("a", 512, 20);
    for (int i = 0; i < 20; i++) {
      measured(spec, 2);
    }
    measured(spec, 2_000);
    assertThat(costs.estimateMs(spec))
        .isBetween(GUESS.estimateMs(spec) * 2, Math.round(GUESS.estimateMs(spec) * 2.2));
  }

  @Test
  void aLastingChangeIsFollowed() {
    JobSpec spec = spec("a", 512, 20);
    for (int i = 0; i < 50; i++) {
      measured(spec, 1);
    }
    for (int i = 0; i < 300; i++) {
      measured(spec, 3);
    }
    assertThat(costs.estimateMs(spec))
        .isCloseTo(GUESS.estimateMs(spec) * 3, Percentage.withPercentage(5));
  }
}
