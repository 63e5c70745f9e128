package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import java.time.Instant;
import java.util.Optional;

/**
 * What the relay needs to know about a waiting job.
 *
 * @param userRoom how many more jobs its user may have running, this one included
 */
public record ReadyJob(
    JobId id,
    String userId,
    String tier,
    JobMode mode,
    String model,
    long costMs,
    Instant createdAt,
    Optional<Instant> deadline,
    int userRoom) {
  /** In mode normal, of a user without a limit. */
  public ReadyJob(
      JobId id,
      String userId,
      String tier,
      String model,
      long costMs,
      Instant createdAt,
      Optional<Instant> deadline) {
    this(id, userId, tier, JobMode.NORMAL, model, costMs, createdAt, deadline, Integer.MAX_VALUE);
  }
}
