package dev.tintype.perf.chaos;

import dev.tintype.perf.chaos.FaultyProxy.Line;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntFunction;

/**
 * Which faults happen in which order, drawn from the seed alone. Three decks, of kills, pauses and
 * lines, are dealt side by side, so that a process may die while another stands still and a line is
 * silent. Before any kind of fault happens twice each has happened once, and before any fault
 * happens twice all have.
 */
final class FaultPlan {
  /** Longer than a lease (15 s), so that the sleeper wakes up as a former owner. */
  private static final Duration LONG_PAUSE = Duration.ofSeconds(18);

  private static final Duration SHORT_PAUSE = Duration.ofSeconds(3);

  /** Between two pauses or two line faults, ms. */
  private static final int GAP_MS_MIN = 1_000;

  private static final int GAP_MS_MAX = 4_000;

  /** Each target is killed so often at most, so that most of them are up at a time. */
  private static final int SAME_EVERY_MS = 80_000;

  /** From kill to kill at most: what a start takes, and some work after it. */
  private static final int KILL_EVERY_MS_MAX = 20_000;

  /** A fault and the time without one of its deck before it. */
  record Step(Duration gap, Fault fault) {}

  private final Random random;
  private final List<Fault> cards;
  private final IntFunction<Duration> gaps;
  private final Deque<Fault> deck = new ArrayDeque<>();
  private int dealt;

  private FaultPlan(Random random, List<Fault> cards, IntFunction<Duration> gaps) {
    this.random = random;
    this.cards = cards;
    this.gaps = gaps;
  }

  /**
   * Each kind of process within the room, one in each of as many equal parts of it, at a moment of
   * the part that is drawn; they are started again beside this.
   *
   * @param room time for faults
   */
  static FaultPlan kills(long seed, Cluster cluster, Duration room) {
    List<Fault> cards = new ArrayList<>();
    cluster.killable().forEach(target -> cards.add(new Fault.Kill(target)));
    long kinds = cards.stream().map(Fault::kind).distinct().count();
    long partMs =
        Math.min(
            Math.min(KILL_EVERY_MS_MAX, SAME_EVERY_MS / cards.size()), room.toMillis() / kinds);
    Random random = new Random(seed);
    long[] before = {0};
    return new FaultPlan(
        random,
        cards,
        number -> {
          long at = number * partMs + random.nextLong(partMs / 10, partMs * 9 / 10);
          Duration gap = Duration.ofMillis(at - before[0]);
          before[0] = at;
          return gap;
        });
  }

  /**
   * @param room time for faults; pauses that last longer than half of it are left out
   */
  static FaultPlan pauses(long seed, Cluster cluster, Duration room) {
    List<Fault> cards = new ArrayList<>();
    for (String target : cluster.pausable()) {
      cards.add(new Fault.Pause(target, SHORT_PAUSE));
      if (LONG_PAUSE.multipliedBy(2).compareTo(room) <= 0) {
        cards.add(new Fault.Pause(target, LONG_PAUSE));
      }
    }
    return drawnGaps(seed + 2, cards);
  }

  static FaultPlan lines(long seed, Cluster cluster) {
    List<Fault> cards = new ArrayList<>();
    for (String target : cluster.lines()) {
      cards.add(new Fault.Network(target, Line.RESET, Duration.ofMillis(1_500)));
      cards.add(new Fault.Network(target, Line.SLOW, Duration.ofSeconds(4)));
      cards.add(new Fault.Network(target, Line.NARROW, Duration.ofSeconds(4)));
      cards.add(new Fault.Network(target, Line.SILENT, Duration.ofSeconds(7)));
    }
    return drawnGaps(seed + 1, cards);
  }

  private static FaultPlan drawnGaps(long seed, List<Fault> cards) {
    Random random = new Random(seed);
    return new FaultPlan(
        random, cards, number -> Duration.ofMillis(random.nextInt(GAP_MS_MIN, GAP_MS_MAX)));
  }

  Step next() {
    if (deck.isEmpty()) {
      shuffle();
    }
    return new Step(gaps.apply(dealt++), deck.removeFirst());
  }

  /** One of each kind, then a second of each, and so on. */
  private void shuffle() {
    List<Fault> shuffled = new ArrayList<>(cards);
    Collections.shuffle(shuffled, random);
    Map<String, Deque<Fault>> byKind = new LinkedHashMap<>();
    shuffled.forEach(
        fault -> byKind.computeIfAbsent(fault.kind(), kind -> new ArrayDeque<>()).add(fault));
    while (deck.size() < shuffled.size()) {
      byKind.values().stream()
          .filter(kind -> !kind.isEmpty())
          .forEach(kind -> deck.add(kind.remove()));
    }
  }
}
