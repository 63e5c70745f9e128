package dev.tintype.queue.relay;

import dev.tintype.queue.store.Backlog;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What waits, as it was last read from the store, and what this process has accepted since. It
 * rather counts a job twice than not at all: one that is accepted while the store is read may be in
 * both. What other processes accept is seen with the next reading. Thread-safe, without input or
 * output; it holds an entry per tier, lane and model.
 */
public final class WaitingWork {
  private record Key(String tier, boolean relaxed, String model) {
    static Key of(Backlog work) {
      return new Key(work.tier(), work.relaxed(), work.model());
    }
  }

  private Map<Key, Long> read = Map.of();

  /** Accepted since the latest reading that ended had begun. */
  private Map<Key, Long> since = new HashMap<>();

  /** Accepted since the reading that is under way began. */
  private Map<Key, Long> sinceNext = new HashMap<>();

  /** Asked about, and neither accepted nor refused yet. */
  private final Map<Key, Long> asked = new HashMap<>();

  /** A reading of the store begins; one at a time. */
  public synchronized void reading() {
    sinceNext = new HashMap<>();
  }

  /** It ended with this. Where it failed, nothing is called: what was known stays. */
  public synchronized void read(List<Backlog> found) {
    Map<Key, Long> next = new HashMap<>();
    found.forEach(one -> next.merge(Key.of(one), one.costMs(), Long::sum));
    read = next;
    since = sinceNext;
    sinceNext = new HashMap<>();
  }

  /**
   * Counts a job in before anybody decides about it, so that two that come together see one
   * another. {@link #settle} has to follow.
   *
   * @return what waits without it
   */
  public synchronized List<Backlog> ask(Backlog job) {
    Map<Key, Long> sum = new HashMap<>(read);
    since.forEach((key, ms) -> sum.merge(key, ms, Long::sum));
    asked.forEach((key, ms) -> sum.merge(key, ms, Long::sum));
    asked.merge(Key.of(job), job.costMs(), Long::sum);
    List<Backlog> all = new ArrayList<>();
    sum.forEach((key, ms) -> all.add(new Backlog(key.tier(), key.relaxed(), key.model(), ms)));
    return all;
  }

  /**
   * @param job as it was asked about
   * @param accepted true: the store has the job
   */
  public synchronized void settle(Backlog job, boolean accepted) {
    Key key = Key.of(job);
    asked.computeIfPresent(key, (same, ms) -> ms > job.costMs() ? ms - job.costMs() : null);
    if (accepted) {
      since.merge(key, job.costMs(), Long::sum);
      sinceNext.merge(key, job.costMs(), Long::sum);
    }
  }
}
