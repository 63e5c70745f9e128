package dev.tintype.queue.transport;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;

/** "This job is next." The topic is {@code pool} x {@code model} x {@code tierClass}. */
public record WakeUp(JobId jobId, String model, TierClass tierClass, String pool) {
  /** For the shared workers. */
  public WakeUp(JobId jobId, String model, TierClass tierClass) {
    this(jobId, model, tierClass, Tier.SHARED);
  }
}
