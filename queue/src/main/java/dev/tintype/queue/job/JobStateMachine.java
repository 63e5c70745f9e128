package dev.tintype.queue.job;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * All moves that a job may make. No other code sets a state: the store takes both the new state and
 * the set of states that the move may start from ({@link #sources}) out of this class, and writes
 * them into the compare-and-set of its UPDATE.
 *
 * <pre>
 *                submit
 *                  |
 *                  v        LEASE              START              SUCCEED
 *   REDRIVE --> QUEUED ---------------> LEASED -------> RUNNING -----------> SUCCEEDED
 *      ^          | ^                     |                |
 *      |          | |  RETRY, LAPSE,      |                |
 *      |          | |  RELEASE, PREEMPT   |                |
 *      |          | +---------------------+----------------+
 *      |          |                       |                |
 *      |          +--- CANCEL, EXPIRE ----+----------------+----> CANCELED, EXPIRED
 *      |          |                       |                |
 *      |          +--- FAIL --------------+----------------+----> FAILED
 *      |                                  |                |
 *      +--- DEAD <------- BURY -----------+----------------+
 * </pre>
 *
 * <p>A lapse, a retry or a burial needs an attempt to blame, so none of them starts from QUEUED.
 * FAIL from QUEUED is for jobs that can be known not to be able to run before a worker takes them
 * (their model was removed).
 */
public final class JobStateMachine {
  private JobStateMachine() {}

  /** The state after the action, or empty where the action is not allowed in that state. */
  public static Optional<JobState> next(JobState from, JobAction action) {
    return sources(action).contains(from) ? Optional.of(target(action)) : Optional.empty();
  }

  /** The one state that an action leads to. */
  public static JobState target(JobAction action) {
    return switch (action) {
      case LEASE -> JobState.LEASED;
      case START -> JobState.RUNNING;
      case SUCCEED -> JobState.SUCCEEDED;
      case RETRY, LAPSE, RELEASE, PREEMPT, REDRIVE -> JobState.QUEUED;
      case FAIL -> JobState.FAILED;
      case CANCEL -> JobState.CANCELED;
      case EXPIRE -> JobState.EXPIRED;
      case BURY -> JobState.DEAD;
    };
  }

  /** The states that an action may start from. */
  public static Set<JobState> sources(JobAction action) {
    return switch (action) {
      case LEASE -> EnumSet.of(JobState.QUEUED);
      case START -> EnumSet.of(JobState.LEASED);
      case SUCCEED -> EnumSet.of(JobState.RUNNING);
      case RETRY, LAPSE, RELEASE, PREEMPT, BURY -> EnumSet.of(JobState.LEASED, JobState.RUNNING);
      case FAIL, CANCEL, EXPIRE -> EnumSet.of(JobState.QUEUED, JobState.LEASED, JobState.RUNNING);
      case REDRIVE -> EnumSet.of(JobState.DEAD);
    };
  }

  /** The actions that are allowed in a state. */
  public static Set<JobAction> actions(JobState from) {
    EnumSet<JobAction> actions = EnumSet.noneOf(JobAction.class);
    Arrays.stream(JobAction.values())
        .filter(action -> sources(action).contains(from))
        .forEach(actions::add);
    return actions;
  }
}
