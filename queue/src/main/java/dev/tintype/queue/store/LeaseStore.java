package dev.tintype.queue.store;

import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.NewEvent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What a worker needs of the store: to take a job, and to write under its lease. */
public interface LeaseStore {
  /** How long, after its backoff, a job is kept from the nodes that it crashed on. */
  Duration AVOID_TIME = Duration.ofSeconds(30);

  /** How often a job makes room for a more urgent one; then it stays to its end. */
  int PREEMPTIONS_MAX = 2;

  /**
   * Takes a queued job. Empty where another worker has it, or where it is no longer queued: then
   * the wake-up can be acknowledged and forgotten.
   *
   * <p>A job is not handed on at once to a node that it crashed on: for {@link #AVOID_TIME} after
   * its backoff its workers get nothing, and the wake-up goes out again for others. After that time
   * any worker may have it, since there may be no other.
   *
   * @param workerId 1..200 characters, shown to admins: its {@link #node}, and where that has
   *     several processes one after the other, {@code #} and a number
   */
  Optional<Lease> lease(JobId id, String workerId, Duration leaseTime);

  /**
   * Where a worker runs: a process that was started again after a crash is another worker on the
   * same node, with the same broken device.
   */
  static String node(String workerId) {
    int end = workerId.indexOf('#');
    return end < 0 ? workerId : workerId.substring(0, end);
  }

  /** Marks the beginning of the work. False where the lease is lost: stop. */
  boolean start(Lease lease);

  /**
   * Heartbeat: prolongs the lease by {@code leaseTime} from now, and tells whether the user wants
   * the job ended, and whether an urgent one wants its place.
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

  /**
   * As {@link #release}, for a more urgent job, which the job counts: a worker preempts it only so
   * often.
   */
  default boolean preempt(Lease lease) {
    return release(lease);
  }
}
