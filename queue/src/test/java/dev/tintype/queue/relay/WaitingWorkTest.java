package dev.tintype.queue.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.store.Backlog;
import java.util.List;
import org.junit.jupiter.api.Test;

class WaitingWorkTest {
  private final WaitingWork work = new WaitingWork();

  private static Backlog waits(long ms) {
    return new Backlog("free", false, "m", ms);
  }

  private void accept(long ms) {
    work.ask(waits(ms));
    work.settle(waits(ms), true);
  }

  private List<Backlog> look() {
    Backlog other = new Backlog("free", true, "m", 1);
    List<Backlog> all = work.ask(other);
    work.settle(other, false);
    return all;
  }

  @Test
  void whatWasAcceptedSinceTheReadingIsAdded() {
    work.reading();
    work.read(List.of(waits(100)));
    accept(7);
    assertThat(look()).containsExactly(waits(107));
    work.reading();
    work.read(List.of(waits(103)));
    assertThat(look()).containsExactly(waits(103));
  }

  @Test
  void whatIsAcceptedDuringAReadingIsNotForgotten() {
    work.reading();
    accept(7); // The store may have been read before this was in it.
    work.read(List.of(waits(100)));
    assertThat(look()).containsExactly(waits(107));
  }

  @Test
  void aReadingThatFailsChangesNothing() {
    work.reading();
    work.read(List.of(waits(100)));
    accept(7);
    work.reading();
    accept(2);
    assertThat(look()).containsExactly(waits(109));
    work.reading();
    work.read(List.of(waits(109)));
    assertThat(look()).containsExactly(waits(109));
  }

  @Test
  void twoThatComeTogetherSeeOneAnother() {
    assertThat(work.ask(waits(5))).isEmpty();
    assertThat(work.ask(waits(6))).containsExactly(waits(5));
    work.settle(waits(5), false);
    work.settle(waits(6), true);
    assertThat(look()).containsExactly(waits(6));
  }
}
