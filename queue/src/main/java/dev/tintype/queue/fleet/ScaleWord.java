package dev.tintype.queue.fleet;

import dev.tintype.queue.fleet.ScalePolicy.Wanted;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * When an autoscaler is told what is wanted. Up at once; down only to the most that was wanted
 * within {@link #downAfter}, so that machines are not given back between two bursts. Told when that
 * number changes, and again every {@link #repeat} while the workers that are there are not as many.
 * Pure; for one thread.
 */
final class ScaleWord {
  /** Why it is due. */
  enum Reason {
    CHANGE,
    REPEAT
  }

  /**
   * What is to be told.
   *
   * @param wanted by place, steadied
   */
  record Due(Reason reason, SortedMap<Place, Wanted> wanted) {
    /** The same numbers, for whatever reason. */
    boolean sameAs(Due other) {
      return numbers(wanted).equals(numbers(other.wanted));
    }
  }

  private record Seen(Instant at, int workers) {}

  private final ScalePolicy policy;
  private final Duration downAfter;
  private final Duration repeat;

  /** What was wanted lately: falling numbers, the most in front, so few are kept. */
  private final Map<Place, Deque<Seen>> lately = new HashMap<>();

  private Optional<Map<Place, Integer>> told = Optional.empty();
  private Instant toldAt = Instant.MIN;

  ScaleWord(ScalePolicy policy, Duration downAfter, Duration repeat) {
    this.policy = policy;
    this.downAfter = downAfter;
    this.repeat = repeat;
  }

  /**
   * Looks at what is wanted now.
   *
   * @param now of a clock that nobody sets
   * @param there workers by place; empty where nobody knows
   */
  Optional<Due> look(Instant now, Map<Place, Wanted> wanted, Optional<Map<Place, Integer>> there) {
    lately.keySet().retainAll(wanted.keySet());
    SortedMap<Place, Wanted> steady = new TreeMap<>();
    wanted.forEach((place, one) -> steady.put(place, steady(now, place, one)));
    Map<Place, Integer> numbers = numbers(steady);
    if (!told.equals(Optional.of(numbers))) {
      return Optional.of(new Due(Reason.CHANGE, steady));
    }
    boolean differs =
        there.isPresent()
            && numbers.entrySet().stream()
                .anyMatch(one -> !one.getValue().equals(there.get().getOrDefault(one.getKey(), 0)));
    boolean isDue = !now.isBefore(toldAt.plus(repeat));
    return differs && isDue ? Optional.of(new Due(Reason.REPEAT, steady)) : Optional.empty();
  }

  private Wanted steady(Instant now, Place place, Wanted wanted) {
    Deque<Seen> seen = lately.computeIfAbsent(place, name -> new ArrayDeque<>());
    while (!seen.isEmpty() && seen.getFirst().at().isBefore(now.minus(downAfter))) {
      seen.removeFirst();
    }
    while (!seen.isEmpty() && seen.getLast().workers() <= wanted.workers()) {
      seen.removeLast();
    }
    seen.addLast(new Seen(now, wanted.workers()));
    return policy.split(wanted.backlogS(), seen.getFirst().workers());
  }

  static Map<Place, Integer> numbers(Map<Place, Wanted> wanted) {
    Map<Place, Integer> numbers = new HashMap<>();
    wanted.forEach((place, one) -> numbers.put(place, one.workers()));
    return numbers;
  }

  /** It was taken. */
  void told(Due due, Instant now) {
    told = Optional.of(numbers(due.wanted()));
    toldAt = now;
  }
}
