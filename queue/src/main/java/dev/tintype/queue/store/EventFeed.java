package dev.tintype.queue.store;

import dev.tintype.queue.job.JobEvent;
import java.time.Duration;
import java.util.List;

/** One follower's view of one job. For one thread at a time. */
public interface EventFeed extends AutoCloseable {
  /** Most events that one call returns. */
  int EVENTS_MAX = 256;

  /**
   * The next events in order: those at hand, else the first that come within {@code timeout}; an
   * empty list if none came (send a comment line to keep the connection alive). After {@link
   * #close()}, also from another thread, it returns an empty list at once.
   *
   * @throws InterruptedException if the thread is told to stop
   */
  List<JobEvent> next(Duration timeout) throws InterruptedException;

  /** True once closed by the follower or the hub. */
  boolean closed();

  @Override
  void close();
}
