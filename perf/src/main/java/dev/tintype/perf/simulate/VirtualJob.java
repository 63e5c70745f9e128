package dev.tintype.perf.simulate;

import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobAction;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.JobStateMachine;
import dev.tintype.queue.store.ReadyJob;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** A row of the jobs table. Times are milliseconds since the simulation's start. */
final class VirtualJob {
  private static final int AVOIDED_MAX = 3;

  final JobId id;
  final Arrivals.Wish wish;
  final ReadyJob ready;
  final long createdMs;

  JobState state = JobState.QUEUED;
  int attempt;
  int crashes;
  int errors;
  boolean cancelRequested;
  long notBeforeMs;
  long claimedUntilMs = -1;
  long leaseUntilMs = -1;
  long firstLeaseMs = -1;
  long finishedMs = -1;
  String worker = "";

  /** The last workers whose lease of this job lapsed, the newest last. */
  private final Deque<String> avoided = new ArrayDeque<>();

  private long avoidUntilMs = -1;
  int visible;

  /**
   * A wake-up for it vanished on the way: the bound does not hold for it, the claim's time does.
   */
  boolean wakeUpLost;

  Optional<JobFailure> failure = Optional.empty();

  VirtualJob(JobId id, Arrivals.Wish wish, long nowMs) {
    this.id = id;
    this.wish = wish;
    this.createdMs = nowMs;
    this.ready =
        new ReadyJob(
            id,
            wish.user(),
            wish.tier().name(),
            wish.mode(),
            wish.spec().model(),
            wish.estimateMs(),
            VirtualClock.at(nowMs),
            Optional.empty(),
            Integer.MAX_VALUE);
  }

  /** The compare-and-set of every move: false where the state machine does not allow it. */
  boolean move(JobAction action) {
    Optional<JobState> next = JobStateMachine.next(state, action);
    next.ifPresent(to -> state = to);
    return next.isPresent();
  }

  void avoid(String crashed, long untilMs) {
    avoided.remove(crashed);
    avoided.addLast(crashed);
    if (avoided.size() > AVOIDED_MAX) {
      avoided.removeFirst();
    }
    avoidUntilMs = untilMs;
  }

  boolean avoids(String workerId, long nowMs) {
    return nowMs < avoidUntilMs && avoided.contains(workerId);
  }

  /** Queued, past its backoff, and not claimed. */
  boolean free(long nowMs) {
    return state == JobState.QUEUED && notBeforeMs <= nowMs && claimedUntilMs < nowMs;
  }

  /** The row as a record. */
  Job job() {
    return new Job(
        id,
        wish.user(),
        wish.tier().name(),
        wish.mode(),
        state,
        wish.spec(),
        attempt,
        crashes,
        errors,
        0,
        cancelRequested,
        wish.estimateMs(),
        VirtualClock.at(createdMs),
        Optional.empty(),
        finishedMs < 0 ? Optional.empty() : Optional.of(VirtualClock.at(finishedMs)),
        Optional.empty(),
        worker.isEmpty() ? Optional.empty() : Optional.of(worker),
        List.of(),
        failure,
        attempt);
  }
}
