package dev.tintype.queue.job;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A job as it stands at one moment. All times are by the database's clock.
 *
 * @param attempt how often it was leased; the fence of the present lease
 * @param crashes attempts whose lease lapsed
 * @param errors attempts that reported an error which may go away
 * @param preemptions attempts that were given back for a more urgent job
 * @param costMs estimated GPU-ms, fixed at submission
 * @param images its pictures in order; empty unless it succeeded
 * @param failure why it failed or died, or the latest error of a job that is tried again
 * @param lastSeq of its latest event
 */
public record Job(
    JobId id,
    String userId,
    String tier,
    JobMode mode,
    JobState state,
    JobSpec spec,
    int attempt,
    int crashes,
    int errors,
    int preemptions,
    boolean cancelRequested,
    long costMs,
    Instant createdAt,
    Optional<Instant> startedAt,
    Optional<Instant> finishedAt,
    Optional<Instant> deadline,
    Optional<String> worker,
    List<ImageRecord> images,
    Optional<JobFailure> failure,
    long lastSeq) {
  public Job {
    images = List.copyOf(images);
  }
}
