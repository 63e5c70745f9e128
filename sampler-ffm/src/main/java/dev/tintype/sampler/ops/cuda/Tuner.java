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

  /** One way of doing the work. Its result lies where the caller's call says. */
  interface Way {
    /** The same in every run with the same libraries; no tabs. */
    String id();

    /**
     * Hands the work to the GPU.
     *
     * @throws DeviceException where it cannot be done this way
     */
    void run();
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

  /** Whether ways would be measured now; if not, only the first is needed. */
  boolean measures() {
    return nanosSpent < nanosMax && !memory.isRecording();
  }

  /** Counts time that making the ways took against the bound. */
  void charge(long nanos) {
    nanosSpent += nanos;
  }

  /**
   * Remembers a way that was taken without measuring, so that the next process computes the same
   * bits though it would have the time. Not while recording, and not where nothing is measured.
   */
  void keep(String key, String id) {
    if (nanosMax > 0 && !memory.isRecording()) {
      choices.put(key, id);
    }
  }

  /** The id of the way that was fastest before; empty where that is not known or not wanted. */
  Optional<String> remembered(String key) {
    return nanosMax == 0 ? Optional.empty() : choices.get(key);
  }

  /**
   * The index of the fastest of the ways, best guess first. The work has been done, but by which of
   * them is open: the caller does it again.
   *
   * @throws DeviceException when none of them works
   */
  int fastest(String key, List<? extends Way> ways) {
    if (ways.size() == 1 || !measures()) {
      keep(key, ways.getFirst().id());
      return 0;
    }
    long begun = System.nanoTime();
    long[] events = {cuda.createEvent(), cuda.createEvent()};
    try {
      int best = -1;
      float bestMs = Float.POSITIVE_INFINITY;
      DeviceException failure = null;
      StringBuilder seen = new StringBuilder();
      for (int i = 0; i < ways.size(); i++) {
        try {
          float ms = milliseconds(ways.get(i), events);
          seen.append(' ').append(ways.get(i).id()).append('=').append(ms);
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
          LOG.debug("{} cannot be done by {}: {}", key, ways.get(i).id(), e.getMessage());
        }
      }
      if (best < 0) {
        throw failure;
      }
      LOG.debug("{}:{}", key, seen);
      choices.put(key, ways.get(best).id());
      return best;
    } finally {
      cuda.destroyEvent(events[0]);
      cuda.destroyEvent(events[1]);
      nanosSpent += System.nanoTime() - begun;
    }
  }

  private float milliseconds(Way way, long[] events) {
    way.run();
    Optional<Long> spacer = memory.takeIfFree(SPACER_BYTES);
    try {
      float least = Float.POSITIVE_INFINITY;
      for (int i = 0; i < RUNS; i++) {
        if (spacer.isPresent()) {
          cuda.zero(spacer.get(), SPACER_BYTES);
        }
        cuda.record(events[0]);
        way.run();
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
