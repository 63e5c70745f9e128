package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;

/**
 * Follows jobs live, without a poll per follower. Every process has one; it hears of new events of
 * all processes.
 *
 * <p>Use: {@code try (EventFeed feed = hub.follow(id, lastEventId)) { while (..) for (JobEvent e :
 * feed.next(timeout)) send(e); }} on a virtual thread, until an event is terminal.
 */
public interface EventHub extends AutoCloseable {
  /** Most followers of one hub; the next one is refused with code {@code events.too_many}. */
  int FOLLOWERS_MAX = 10_000;

  /**
   * Replays the events above {@code afterSeq}, then goes on with new ones; none is missed or
   * doubled.
   */
  EventFeed follow(JobId id, long afterSeq);

  @Override
  void close();
}
