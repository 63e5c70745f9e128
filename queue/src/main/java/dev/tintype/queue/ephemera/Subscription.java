package dev.tintype.queue.ephemera;

import java.time.Duration;
import java.util.Optional;

/** What one subscriber has yet to read of a topic: at most {@value #MESSAGES_MAX} messages. */
public interface Subscription extends AutoCloseable {
  /** Beyond it the oldest is dropped for the newest, so that a slow reader slows nobody. */
  int MESSAGES_MAX = 256;

  /**
   * The next message, waiting at most {@code timeout}; empty in time, or once closed.
   *
   * @throws InterruptedException if the thread is told to stop
   */
  Optional<byte[]> poll(Duration timeout) throws InterruptedException;

  /** Messages dropped because this subscriber was slow. */
  long lost();

  /** Ends polls. Harmless when repeated. */
  @Override
  void close();
}
