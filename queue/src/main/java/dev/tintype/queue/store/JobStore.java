package dev.tintype.queue.store;

import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.NewEvent;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Where jobs live. All methods block (call them from virtual threads), may be called from any
 * thread, and end within the configured deadlines; when the database cannot answer they throw
 * {@link dev.tintype.queue.QueueException.Unavailable} and nothing has been promised. Time is the
 * database's own: no two processes can disagree about a lease.
 */
public interface JobStore extends AutoCloseable {
  /** Most rows that one call returns or changes. */
  int ROWS_MAX = 1000;

  /** How long, after its backoff, a job is kept from the workers that it crashed. */
  Duration AVOID_TIME = Duration.ofSeconds(30);

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

  // For workers.

  /**
   * Takes a queued job. Empty where another worker has it, or where it is no longer queued: then
   * the wake-up can be acknowledged and forgotten.
   *
   * <p>A job is not handed on at once to a worker that it crashed: for {@link #AVOID_TIME} after
   * its backoff such a worker gets nothing, and the wake-up goes out again for others. After that
   * time any worker may have it, since there may be no other.
   *
   * @param workerId 1..200 characters, shown to admins
   */
  Optional<Lease> lease(JobId id, String workerId, Duration leaseTime);

  /** Marks the beginning of the work. False where the lease is lost: stop. */
  boolean start(Lease lease);

  /**
   * Heartbeat: prolongs the lease by {@code leaseTime} from now, and tells whether the user wants
   * the job ended.
   */
  Renewal renew(Lease lease, Duration leaseTime);

  /** Appends to the job's log. False where the lease is lost: nothing was written; stop. */
  boolean appendEvents(Lease lease, List<NewEvent> events);

  /** {@link #finish(Lease, List, OptionalLong)} by a worker that did not measure its cost. */
  default boolean finish(Lease lease, List<ImageRecord> images) {
    return finish(lease, images, OptionalLong.empty());
  }

  /**
   * Makes the pictures visible and ends the job. False where the lease is lost: drop the result,
   * another attempt owns the job.
   *
   * @param gpuMs what this attempt took of a device, in ms (its share of each batch); the cost
   *     model learns from it
   */
  boolean finish(Lease lease, List<ImageRecord> images, OptionalLong gpuMs);

  /**
   * Reports an error. The job is queued again with backoff if it may be retried and has errors
   * left, else it is failed or dead.
   *
   * @return the new state, or empty where the lease is lost
   */
  Optional<JobState> fail(Lease lease, JobFailure failure);

  /** Ends a job whose cancel was requested. False where the lease is lost. */
  boolean finishCanceled(Lease lease);

  /**
   * Gives the job back without blame, to be run by another worker at once. False where the lease is
   * lost.
   */
  boolean release(Lease lease);

  // For the relay.

  /**
   * The heads of the queue: for each of at most {@code usersMax} users of that tier with work to
   * do, in the order of their ids, starting behind {@code afterUser}, their oldest {@code perUser}
   * jobs that are queued, past their backoff, not claimed, and for one of those models.
   */
  ReadyPage ready(
      String tier, Set<String> models, Optional<String> afterUser, int usersMax, int perUser);

  /**
   * Claims jobs for publishing, so that no other relay publishes them too. Rows that another relay
   * has locked are passed over. A claim lapses after {@code claimTime}; then the wake-up is taken
   * for lost and the job is ready again.
   *
   * @return the ids that were claimed, in the order asked
   */
  List<JobId> claim(Collection<JobId> ids, Duration claimTime);

  /** Gives claims back (the transport was full). */
  void unclaim(Collection<JobId> ids);

  /**
   * Ends lapsed leases: queued again with backoff, canceled where that was requested, dead after
   * too many crashes.
   */
  List<Job> reapLapsed(int limit);

  /**
   * Ends the leases of all workers whose id starts with {@code workerIdPrefix} at once, as if they
   * had lapsed, and all claims: for a process that starts alone and knows that its former workers
   * and relay are gone.
   */
  List<Job> reapWorkers(String workerIdPrefix);

  /** Expires jobs whose deadline passed. */
  List<Job> expireDue(int limit);

  // For admins.

  /** Dead jobs, newest first. */
  List<Job> dead(Optional<JobId> before, int limit);

  /** Gives a dead job another life. False where it is not dead. */
  boolean redrive(JobId id);

  /**
   * Deletes a dead job with its log, for good. False where it is not dead. Its pictures' blobs, if
   * it ever had some, are swept by reference elsewhere.
   */
  boolean purge(JobId id);

  /**
   * Deletes jobs of that tier that ended longer than the tier's retention ago, with their logs,
   * pictures' rows and idempotency keys; the oldest first, at most {@code limit}. Dead jobs too:
   * whoever wants one back has as long as the tier keeps anything.
   *
   * @return how many
   */
  int sweep(String tier, int limit);

  // For the cost model and admission.

  /** The newest finished jobs whose cost was measured, the oldest of them first. */
  List<MeasuredJob> measured(int limit);

  /** The open work of each tier that has some. */
  Map<String, Backlog> backlogs();

  /** Estimated GPU-ms of the open jobs of one user. */
  long userBacklogMs(String userId);

  /** What waits, runs and is dead, by tier, model and state; groups without a job are left out. */
  List<QueueLoad> load();

  /** Forgets idempotency keys older than a day; returns how many. */
  int forgetKeys(int limit);

  /** How many jobs are in each state that is not terminal. */
  QueueCounts counts();

  /** Gives connections back; an embedded server is closed by its owner. */
  @Override
  void close();
}
