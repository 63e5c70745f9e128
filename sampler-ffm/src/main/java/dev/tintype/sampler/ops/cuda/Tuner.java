package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DeviceException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out which of several ways of doing the same work is fastest on this card, once per kind of
 * work; {@link Choices} remembers it. All ways must be deterministic, and right.
 */
final class Tuner implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Tuner.class);

  /** Timed runs of a way, after one that is not timed; the fastest counts. */
  static final int RUNS = 3;

  /**
   * Written before each timed run: it keeps the GPU busy (some 50 us) while the host hands over the
   * launches, so that these are not measured, and takes the operands out of the cache.
   */
  private static final long SPACER_BYTES = 128L << 20;

  /** The ways of doing one kind of work. Its result lies where the caller's call says. */
  interface Ways<W> {
    /** The way of that id; empty when there is none any more. */
    Optional<W> named(String id);

    /** What is taken where nothing is measured: the same in every process. */
    W advised();

    /** Those that are measured, best guess first; at least one. */
    List<W> candidates();

    /** The same in every run with the same libraries; no tabs. */
    String id(W way);

    /**
     * Hands the work to the GPU.
     *
     * @throws DeviceException where it cannot be done this way
     */
    void run(W way);

    /** Gives back what a way holds that is not taken. */
    default void close(W way) {}
  }

  private final Cuda cuda;
  private final CudaMemory memory;
  private final Choices choices;
  private final long nanosMax;
  private long nanosSpent;

  /**
   * @param secondsMax most time that measuring may take in this process; 0: never measured, what
   *     the libraries advise is taken, which is the same in every process
   */
  Tuner(Cuda cuda, CudaMemory memory, Choices choices, double secondsMax) {
    this.cuda = cuda;
    this.memory = memory;
    this.choices = choices;
    this.nanosMax = (long) (secondsMax * 1e9);
  }

  /** Takes what the libraries advise, always. */
  static Tuner off(Cuda cuda, CudaMemory memory) {
    return new Tuner(cuda, memory, Choices.inMemory(), 0);
  }

  /** Whether ways would be measured now. */
  boolean measures() {
    return nanosSpent < nanosMax && !memory.isRecording();
  }

  /**
   * The way that was fastest before or, where that is not known, is found to be now, or else is
   * advised. The caller then does the work by it, whatever was done here to measure.
   *
   * @throws DeviceException when none of them works
   */
  <W> W choose(String key, Ways<W> ways) {
    Optional<W> known = remembered(key).flatMap(ways::named);
    if (known.isPresent()) {
      return known.get();
    }
    if (!measures()) {
      W advised = ways.advised();
      // So that the next process computes the same bits though it would have the time.
      if (nanosMax > 0 && !memory.isRecording()) {
        choices.put(key, ways.id(advised));
      }
      return advised;
    }
    // Making the ways is part of what measuring costs. A way may choose within itself, which has
    // counted its own time by then.
    long spentBefore = nanosSpent;
    long begun = System.nanoTime();
    try {
      return fastest(key, ways, ways.candidates());
    } finally {
      nanosSpent = spentBefore + System.nanoTime() - begun;
    }
  }

  /** The id of the way that was fastest before; empty where that is not known or not wanted. */
  Optional<String> remembered(String key) {
    return nanosMax == 0 ? Optional.empty() : choices.get(key);
  }

  /** Closes all but the fastest; all when none works. */
  private <W> W fastest(String key, Ways<W> ways, List<W> candidates) {
    int best = -1;
    try {
      best = candidates.size() == 1 ? 0 : measured(key, ways, candidates);
      choices.put(key, ways.id(candidates.get(best)));
      return candidates.get(best);
    } finally {
      for (int i = 0; i < candidates.size(); i++) {
        if (i != best) {
          ways.close(candidates.get(i));
        }
      }
    }
  }

  private <W> int measured(String key, Ways<W> ways, List<W> candidates) {
    long[] events = {cuda.createEvent(true), cuda.createEvent(true)};
    try {
      int best = -1;
      float bestMs = Float.POSITIVE_INFINITY;
      DeviceException failure = null;
      StringBuilder seen = new StringBuilder();
      for (int i = 0; i < candidates.size(); i++) {
        W way = candidates.get(i);
        try {
          float ms = milliseconds(() -> ways.run(way), events);
          seen.append(' ').append(ways.id(way)).append('=').append(ms);
          if (ms < bestMs) {
            best = i;
            bestMs = ms;
          }
        } catch (DeviceException e) {
          // One way may be too greedy for the memory that is left, or not be there at all.
          if (e.isSticky()) {
            throw e;
          }
          failure = e;
          LOG.debug("{} cannot be done by {}: {}", key, ways.id(way), e.getMessage());
        }
      }
      if (best < 0) {
        throw failure;
      }
      LOG.debug("{}:{}", key, seen);
      return best;
    } finally {
      cuda.destroyEvent(events[0]);
      cuda.destroyEvent(events[1]);
    }
  }

  private float milliseconds(Runnable work, long[] events) {
    work.run();
    Optional<Long> spacer = memory.takeIfFree(SPACER_BYTES);
    try {
      float least = Float.POSITIVE_INFINITY;
      for (int i = 0; i < RUNS; i++) {
        if (spacer.isPresent()) {
          cuda.zero(spacer.get(), SPACER_BYTES);
        }
        cuda.record(events[0]);
        work.run();
        cuda.record(events[1]);
        least = Math.min(least, cuda.elapsedMs(events[0], events[1]));
      }
      return least;
    } finally {
      spacer.ifPresent(address -> memory.release(address, SPACER_BYTES));
    }
  }

  @Override
  public void close() {
    choices.close();
  }
}
