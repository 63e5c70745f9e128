package dev.tintype.queue.store;

import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where jobs live. All methods block (call them from virtual threads), may be called from any
 * thread, and end within the configured deadlines; when the database cannot answer they throw
 * {@link dev.tintype.queue.QueueException.Unavailable} and nothing has been promised. Time is the
 * database's own: no two processes can disagree about a lease. What relays and workers need of it
 * stands apart: {@link DispatchStore} and {@link LeaseStore}.
 */
public interface JobStore extends DispatchStore, LeaseStore, AutoCloseable {
  /**
   * Accepts a job in one transaction: job row, idempotency row, first event. It is on the disk when
   * this returns.
   */
  SubmitResult submit(SubmitRequest request);

  /**
   * What {@link #submit} would answer because of an earlier submission (Replayed or Conflict),
   * where there is one. Writes nothing.
   */
  Optional<SubmitResult> earlier(SubmitRequest request);

  Optional<Job> get(JobId id);

  /**
   * A page of a user's jobs, newest first. Pass the last id of the page before as {@code before} to
   * go on.
   */
  List<Job> list(String userId, Optional<JobId> before, int limit);

  /**
   * How many queued jobs were accepted before this one, counted up to {@code most}: what a user is
   * told about the wait. The order of runs is decided late and by other rules, so this is an
   * estimate.
   */
  long queuedBefore(JobId id, int most);

  /** Events with a seq above {@code afterSeq} (0 for all), in order; at most {@code limit}. */
  List<JobEvent> events(JobId id, long afterSeq, int limit);

  /**
   * Events of many jobs in one query: for each key those with a seq above its value, in order, at
   * most {@code limitEach}.
   */
  List<JobEvent> events(Map<JobId, Long> afterSeqs, int limitEach);

  /**
   * Withdraws a job: a queued one at once, a leased one as soon as its worker hears of it (with its
   * next renewal).
   *
   * @param userId the owner; the job of another user is as good as missing
   */
  CancelResult cancel(String userId, JobId id);

  /**
   * Ends the leases of all workers whose id starts with {@code workerIdPrefix} at once, as if they
   * had lapsed: for a process that knows that its former workers are gone.
   */
  List<Job> reapWorkers(String workerIdPrefix);

  /**
   * Ends all claims, and no job is kept from any node: for a process that is alone, whose transport
   * died with it, and what was published in it. Not for one of several: the others' wake-ups would
   * go out twice.
   */
  void endClaims();

  /**
   * Estimated and measured GPU-ms of the user's jobs in mode fast: those of the last 30 days that
   * succeeded, and those under way.
   */
  long fastUsedMs(String userId);

  // For admins.

  /** Dead jobs, newest first. */
  List<Job> dead(Optional<JobId> before, int limit);

  /** Gives a dead job another life. False where it is not dead. */
  boolean redrive(JobId id);

  /**
   * Deletes a dead job with its log, for good. False where it is not dead. Its pictures are
   * released: the sweep deletes those that nothing else names.
   */
  boolean purge(JobId id);

  // For the cost model and what watches.

  /** The newest finished jobs whose cost was measured, the oldest of them first. */
  List<MeasuredJob> measured(int limit);

  /** What waits, runs and is dead, by tier, model and state; groups without a job are left out. */
  List<QueueLoad> load();

  /** The work that is queued, by tier and model. */
  List<Backlog> backlog();

  /**
   * Fails where the database cannot be asked, or lacks what this version needs of the schema; costs
   * the same however many jobs there are.
   */
  void check();

  /** Gives connections back; an embedded server is closed by its owner. */
  @Override
  void close();
}
