package dev.tintype.queue.sweep;

import dev.tintype.queue.blob.DerivedStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Deletes derived things that were put long ago, page by page, so that what edges share does not
 * grow for ever. Stores do not tell when something was last read; what is still asked for is made
 * again, once in the time that it is kept. Nothing is remembered between processes: each begins its
 * walk somewhere else, so that processes that are restarted often, or are many, come past
 * everything all the same. Not thread-safe.
 */
public final class DerivedSweep {
  private static final int START_BYTES = 4;

  private final DerivedStore store;
  private final Duration keep;
  private final Clock clock;
  private final RandomGenerator random;
  private String position;
  private String end = "";
  private boolean wrapped;

  /**
   * @param keep how long something is kept after it was put
   */
  public DerivedSweep(DerivedStore store, Duration keep, Clock clock, RandomGenerator random) {
    this.store = store;
    this.keep = keep;
    this.clock = clock;
    this.random = random;
    begin();
  }

  /**
   * What a turn did.
   *
   * @param through whether the walk has been past everything; the next turn begins another
   */
  public record Turn(int seen, int deleted, boolean through) {}

  private void begin() {
    byte[] start = new byte[START_BYTES];
    random.nextBytes(start);
    position = HexFormat.of().formatHex(start);
    end = position;
    wrapped = false;
  }

  /** One page. What it throws leaves it to be done again. */
  public Turn turn() {
    List<DerivedStore.Entry> page = store.list(position, DerivedStore.LIST_MAX);
    Instant cut = clock.instant().minus(keep);
    int deleted = 0;
    for (DerivedStore.Entry entry : page) {
      if (entry.putAt().isBefore(cut)) {
        store.delete(entry);
        deleted++;
      }
    }
    boolean through = wrapped && (page.isEmpty() || page.getLast().position().compareTo(end) > 0);
    if (through) {
      begin();
    } else if (page.isEmpty()) {
      wrapped = true;
      position = "";
    } else {
      position = page.getLast().position();
    }
    return new Turn(page.size(), deleted, through);
  }
}
