package dev.tintype.perf.chaos;

import dev.tintype.perf.chaos.FaultyProxy.Line;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Which faults happen in which order, drawn from the seed alone. Two decks, one of processes and
 * one of lines, are dealt side by side, so that a process may die while a line is silent. A deck is
 * shuffled again when it is used up: each fault happens before any happens twice.
 */
final class FaultPlan {
  /** Longer than a lease (15 s), so that the sleeper wakes up as a former owner. */
  private static final Duration LONG_PAUSE = Duration.ofSeconds(18);

  private static final Duration SHORT_PAUSE = Duration.ofSeconds(3);

  /** Between two faults of a deck, ms. */
  private static final int GAP_MS_MIN = 1_000;

  private static final int GAP_MS_MAX = 4_000;

  /** A fault and the time without one before it. */
  record Step(Duration gap, Fault fault) {}

  private final Random random;
  private final List<Fault> cards;
  private final List<Fault> deck = new ArrayList<>();

  private FaultPlan(long seed, List<Fault> cards) {
    this.random = new Random(seed);
    this.cards = cards;
  }

  /**
   * @param room time left for faults when the plan begins; faults that last longer than half of it
   *     are left out
   */
  static FaultPlan processes(long seed, Cluster cluster, Duration room) {
    List<Fault> cards = new ArrayList<>();
    cluster.killable().forEach(target -> cards.add(new Fault.Kill(target)));
    for (String target : cluster.pausable()) {
      cards.add(new Fault.Pause(target, SHORT_PAUSE));
      if (LONG_PAUSE.multipliedBy(2).compareTo(room) <= 0) {
        cards.add(new Fault.Pause(target, LONG_PAUSE));
      }
    }
    return new FaultPlan(seed, cards);
  }

  static FaultPlan lines(long seed, Cluster cluster) {
    List<Fault> cards = new ArrayList<>();
    for (String target : cluster.lines()) {
      cards.add(new Fault.Network(target, Line.RESET, Duration.ofMillis(1_500)));
      cards.add(new Fault.Network(target, Line.SLOW, Duration.ofSeconds(4)));
      cards.add(new Fault.Network(target, Line.NARROW, Duration.ofSeconds(4)));
      cards.add(new Fault.Network(target, Line.SILENT, Duration.ofSeconds(7)));
    }
    return new FaultPlan(seed + 1, cards);
  }

  Step next() {
    if (deck.isEmpty()) {
      deck.addAll(cards);
      Collections.shuffle(deck, random);
    }
    return new Step(Duration.ofMillis(random.nextInt(GAP_MS_MIN, GAP_MS_MAX)), deck.removeLast());
  }
}
