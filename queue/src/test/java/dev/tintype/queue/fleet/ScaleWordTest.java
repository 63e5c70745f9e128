package dev.tintype.queue.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.fleet.ScalePolicy.Wanted;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ScaleWordTest {
  private static final Place PLACE = Place.shared("a");

  private final ScalePolicy policy = new ScalePolicy(1, 50, Duration.ofSeconds(60), 0.5);
  private final ScaleWord word =
      new ScaleWord(policy, Duration.ofMinutes(5), Duration.ofMinutes(1));
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");

  /** Seen {@code afterS} later; taken where it is due. */
  private Optional<ScaleWord.Due> look(int afterS, int wanted, int there) {
    now = now.plusSeconds(afterS);
    Map<Place, Wanted> all = Map.of(PLACE, policy.split(new TreeMap<>(), wanted));
    Optional<ScaleWord.Due> due = word.look(now, all, Optional.of(Map.of(PLACE, there)));
    due.ifPresent(one -> word.told(one, now));
    return due;
  }

  private static int number(Optional<ScaleWord.Due> due) {
    return due.orElseThrow().wanted().get(PLACE).workers();
  }

  @Test
  void itIsToldAtFirstAndWhenItRisesAndNotBetween() {
    assertThat(number(look(0, 3, 3))).isEqualTo(3);
    assertThat(look(5, 3, 3)).isEmpty();
    Optional<ScaleWord.Due> rise = look(5, 8, 3);
    assertThat(number(rise)).isEqualTo(8);
    assertThat(rise.orElseThrow().reason()).isEqualTo(ScaleWord.Reason.CHANGE);
    assertThat(rise.orElseThrow().wanted().get(PLACE).spot()).isEqualTo(3);
  }

  @Test
  void lessIsToldOnlyWhenNoMoreWasWantedForAWhile() {
    look(0, 8, 8);
    assertThat(look(100, 2, 8)).isEmpty();
    assertThat(look(100, 5, 8)).as("the 8 are in the window").isEmpty();
    assertThat(number(look(101, 2, 8))).as("the most that was wanted in it").isEqualTo(5);
    assertThat(number(look(301, 2, 5))).isEqualTo(2);
  }

  @Test
  void aBurstWithinTheWindowPutsItOff() {
    look(0, 8, 8);
    for (int i = 0; i < 10; i++) {
      assertThat(look(200, i % 2 == 0 ? 1 : 8, 8)).isEmpty();
    }
  }

  @Test
  void itIsRepeatedWhileTheWorkersAreNotAsMany() {
    look(0, 8, 3);
    assertThat(look(30, 8, 3)).isEmpty();
    assertThat(look(30, 8, 3).orElseThrow().reason()).isEqualTo(ScaleWord.Reason.REPEAT);
    assertThat(look(59, 8, 5)).isEmpty();
    assertThat(look(1, 8, 5)).isPresent();
    assertThat(look(600, 8, 8)).as("they are there").isEmpty();
  }

  @Test
  void whatWasNotTakenIsDueAgain() {
    Map<Place, Wanted> all = Map.of(PLACE, policy.split(new TreeMap<>(), 4));
    for (int i = 0; i < 3; i++) {
      assertThat(word.look(now.plusSeconds(i), all, Optional.empty())).isPresent();
    }
  }

  @Test
  void aPlaceThatIsGoneIsTold() {
    look(0, 4, 4);
    assertThat(word.look(now, Map.of(), Optional.empty()).orElseThrow().wanted()).isEmpty();
  }
}
