package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import java.util.Collection;

/**
 * Tells relays and followers, in this process at once and in others within milliseconds, that
 * something changed. Only a hint: each hearer also polls slowly, so that a lost signal costs a
 * little time and nothing else.
 *
 * <p>It is sent after the commit, not inside it: NOTIFY inside a transaction takes a lock of the
 * whole server until the commit is on the disk, which would put all submissions in single file.
 */
public interface Signals extends AutoCloseable {
  /** There are new events of this job. Returns at once. */
  void jobChanged(JobId id);

  /** There may be work for a relay. Returns at once. */
  void workReady();

  /** Adds a hearer; its methods must return at once. */
  void listen(Listener listener);

  @Override
  void close();

  /** Hears of changes. */
  interface Listener {
    /** There are new events of these jobs. */
    void jobsChanged(Collection<JobId> ids);

    /** There may be work. */
    void workReady();

    /** Signals may have been lost; anything may have changed. */
    void reset();
  }
}
