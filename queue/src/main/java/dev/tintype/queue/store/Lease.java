package dev.tintype.queue.store;

import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import java.time.Instant;

/**
 * A worker's right to work on a job. {@link #attempt} is the fence: it grows with every lease, and
 * every write that carries an older one is refused.
 *
 * @param job as it was when leased
 * @param until when the lease lapses unless renewed, by the database's clock; for logs only, never
 *     compared with the own clock
 */
public record Lease(Job job, String workerId, Instant until) {
  public JobId jobId() {
    return job.id();
  }

  public int attempt() {
    return job.attempt();
  }
}
