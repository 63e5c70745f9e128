package dev.tintype.queue.store;

import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;

/** The answer to a submission. */
public sealed interface SubmitResult {
  /** A new job, committed and on the disk. */
  record Accepted(Job job) implements SubmitResult {}

  /** The job that this very request made before (same key and body, or joined in flight). */
  record Replayed(Job job) implements SubmitResult {}

  /** The same key was used with another body (HTTP 422). */
  record Conflict(JobId existing) implements SubmitResult {}

  /** The user has as many jobs in the queue as the tier allows (HTTP 429). */
  record OverLimit(int queuedMax) implements SubmitResult {}
}
