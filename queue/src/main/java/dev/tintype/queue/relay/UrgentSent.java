package dev.tintype.queue.relay;

import dev.tintype.queue.job.JobId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Urgent wake-ups that this relay has sent and of which it is not known yet whether a worker took
 * them. The newest {@value #JOBS_MAX}: what a full list loses comes again when its claim lapses.
 * Pure; for one thread.
 */
final class UrgentSent {
  static final int JOBS_MAX = 256;

  /** Most that are asked about at a time, since each costs a look at the running jobs. */
  static final int OVERDUE_MAX = 32;

  /** A worker with room takes a wake-up much sooner, so who waits this long finds all full. */
  static final Duration PATIENCE = Duration.ofSeconds(2);

  private final Map<JobId, Instant> sentAt = new LinkedHashMap<>();

  void sent(JobId id, Instant now) {
    sentAt.remove(id);
    if (sentAt.size() == JOBS_MAX) {
      Iterator<JobId> oldest = sentAt.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
    sentAt.put(id, now);
  }

  /** Those that wait for longer than {@link #PATIENCE}, the oldest first. */
  List<JobId> overdue(Instant now) {
    return sentAt.entrySet().stream()
        .filter(sent -> !sent.getValue().isAfter(now.minus(PATIENCE)))
        .map(Map.Entry::getKey)
        .limit(OVERDUE_MAX)
        .toList();
  }

  void taken(Collection<JobId> ids) {
    sentAt.keySet().removeAll(ids);
  }
}
