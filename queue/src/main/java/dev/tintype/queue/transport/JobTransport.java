package dev.tintype.queue.transport;

import dev.tintype.queue.store.Tier;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A bounded, shallow road from the relay to the workers. At-least-once: a delivery that is neither
 * acknowledged nor renewed comes again. Thread-safe.
 */
public interface JobTransport extends AutoCloseable {
  /**
   * One look at a start whether the server lets us in; nothing where there is none.
   *
   * @param most how long it may take
   * @throws dev.tintype.queue.QueueException.Refused where it answers and does not
   * @throws dev.tintype.queue.QueueException.Unavailable where it does not answer
   */
  default void login(Duration most) {}

  /** False where the transport is full or closed; offer again later. */
  boolean offer(WakeUp wakeUp);

  /**
   * The next wake-up for one of these models, for the pool that this end of the transport belongs
   * to, waiting at most {@code timeout}. Empty in time, or when closed.
   *
   * @param models those that the worker can run, at least one
   * @throws InterruptedException if the thread is told to stop
   */
  Optional<Delivery> poll(Set<String> models, Duration timeout) throws InterruptedException;

  /**
   * As {@link #poll} without waiting, for class {@link dev.tintype.queue.store.TierClass#PRIORITY}
   * alone, by a worker that is full and would preempt for it. A transport that cannot tell its
   * lanes apart gives none.
   */
  default Optional<Delivery> pollUrgent(Set<String> models) {
    return Optional.empty();
  }

  /** Wake-ups that nobody holds, of all topics. What is held counts as the worker's. */
  int depth();

  /** As {@link #depth}, for each of these models in that pool. */
  Map<String, Integer> depths(String pool, Set<String> models);

  /** Of the shared workers. */
  default Map<String, Integer> depths(Set<String> models) {
    return depths(Tier.SHARED, models);
  }

  /**
   * How many records ever came to the transport's dead letters, of all processes together; empty
   * where it has none, or while that cannot be told. May block.
   */
  default OptionalLong deadLetters() {
    return OptionalLong.empty();
  }

  /**
   * Calls {@code hearer} whenever room may have appeared, so that a relay refills at once; it must
   * return at once. A transport that cannot know never calls, and relays poll anyway.
   */
  default void onRoom(Runnable hearer) {}

  /** Ends all polls. */
  @Override
  void close();
}
