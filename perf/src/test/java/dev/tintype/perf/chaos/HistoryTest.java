package dev.tintype.perf.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.perf.chaos.History.Promise;
import dev.tintype.perf.chaos.History.Seen;
import dev.tintype.perf.chaos.History.Submission;
import dev.tintype.perf.chaos.History.Violation;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A checker that cannot see a broken promise would prove nothing. */
class HistoryTest {
  private static final Recipe RECIPE = new Recipe(0, 1, 1);

  private final History history = new History();

  private List<Promise> broken() {
    return history.violations().stream().map(Violation::promise).toList();
  }

  @Test
  void aQuietRunBreaksNothing() {
    Submission one = new Submission("a", RECIPE);
    history.asked(one);
    assertThat(history.unanswered()).containsExactly(one);
    history.accepted(one, "job");
    history.accepted(one, "job");
    history.state("job", "queued");
    assertThat(history.open()).containsExactly("job");
    history.state("job", "succeeded");
    history.state("job", "succeeded");
    history.event("job", 1, new Seen(0, "queued", "{}"));
    history.event("job", 1, new Seen(0, "queued", "{}"));
    assertThat(history.open()).isEmpty();
    assertThat(history.unanswered()).isEmpty();
    assertThat(broken()).isEmpty();
  }

  @Test
  void oneKeyWithTwoJobsIsDoubled() {
    history.accepted(new Submission("a", RECIPE), "job");
    history.accepted(new Submission("a", RECIPE), "other");
    assertThat(broken()).contains(Promise.DOUBLED);
  }

  @Test
  void twoKeysWithOneJobIsLost() {
    history.accepted(new Submission("a", RECIPE), "job");
    history.accepted(new Submission("b", RECIPE), "job");
    assertThat(broken()).contains(Promise.LOST);
  }

  @Test
  void aJobThatLeavesItsEndBreaksTheFence() {
    history.state("job", "succeeded");
    history.state("job", "running");
    history.state("job", "dead");
    assertThat(broken()).containsExactly(Promise.FENCE, Promise.FENCE);
  }

  @Test
  void anAnswerThatWasUnderWayWhenTheEndWasSeenMayBeOlder() {
    long asked = System.nanoTime() - 1;
    history.state("job", "canceled");
    history.state("job", "queued", asked);
    assertThat(broken()).isEmpty();
    history.state("job", "queued", System.nanoTime());
    assertThat(broken()).containsExactly(Promise.FENCE);
  }

  @Test
  void anEventThatChangesBreaksTheFence() {
    history.event("job", 3, new Seen(1, "progress", "{\"step\":1}"));
    history.event("job", 3, new Seen(2, "leased", "{}"));
    assertThat(broken()).containsExactly(Promise.FENCE);
  }
}
