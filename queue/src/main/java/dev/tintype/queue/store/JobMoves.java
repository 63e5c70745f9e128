package dev.tintype.queue.store;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobAction;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.JobStateMachine;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The only statements that write a state. Each is one compare-and-set whose old and new states come
 * from {@link JobStateMachine}, and writes the job's next event in the same statement, so that log
 * and row cannot differ. Parameters are positional: those of SET, those of WHERE, type and payload.
 */
final class JobMoves {
  /** A lease ends and the job waits again. Parameters: wait in ms, crashes, errors. */
  private static final String TO_QUEUE =
      "worker = NULL, lease_until = NULL, claimed_until = NULL, not_before = tintype_now() + ? *"
          + " interval '1 ms', crashes = ?, errors = ?";

  /** The job ends. */
  private static final String TO_END =
      "lease_until = NULL, claimed_until = NULL, finished_at = tintype_now()";

  private static final String FAILURE =
      ", failure_code = ?, failure_message = ?, failure_retryable = ?";

  private JobMoves() {}

  /**
   * {@code state IN ('leased', 'running')} for those states, with literals, so that partial indexes
   * fit.
   */
  static String in(Collection<JobState> states) {
    return states.stream()
        .map(state -> "'" + state.wire() + "'")
        .collect(Collectors.joining(", ", "state IN (", ")"));
  }

  /** The states in which a lease owns the job. */
  static String leased() {
    return in(Arrays.stream(JobState.values()).filter(JobState::leased).toList());
  }

  /** The states that are not an end. */
  static String open() {
    return in(Arrays.stream(JobState.values()).filter(state -> !state.terminal()).toList());
  }

  /** The statement of a move; it returns the rows that were moved, as they are now. */
  static String sql(JobAction action, String set, String where) {
    return "WITH moved AS (UPDATE jobs SET state = '"
        + JobStateMachine.target(action).wire()
        + "', last_seq = last_seq + 1, "
        + set
        + " WHERE "
        + where
        + " AND "
        + in(JobStateMachine.sources(action))
        + " RETURNING *), logged AS (INSERT INTO job_events (job_id, seq, attempt, type, json, at)"
        + " SELECT id, last_seq, attempt, ?, ?, tintype_now() FROM moved)"
        + owed(JobStateMachine.target(action))
        + " SELECT * FROM moved";
  }

  /** At a job's end, and with it: what its user wants to be told. */
  private static String owed(JobState target) {
    return target.terminal()
        ? ", owed AS (INSERT INTO webhooks (job_id, seq, user_id, url, event, ended_at, due_at)"
            + " SELECT id, last_seq, user_id, webhook, 'job."
            + target.wire()
            + "', tintype_now(), tintype_now() FROM moved WHERE webhook IS NOT NULL)"
        : "";
  }

  static List<Lease> lease(Connection connection, JobId id, String workerId, Duration leaseTime)
      throws SQLException {
    return Sql.query(
        connection,
        row -> new Lease(JobRows.job(row), workerId, Sql.instant(row, "lease_until")),
        sql(
            JobAction.LEASE,
            "attempt = attempt + 1, worker = ?, lease_until = tintype_now() + ? * interval '1 ms',"
                + " claimed_until = NULL, room_for = NULL, room_asked_at = NULL",
            "id = ? AND (deadline IS NULL OR deadline > tintype_now()) AND (avoid_until IS NULL OR"
                + " avoid_until <= tintype_now() OR NOT ? = ANY(avoid_workers))"),
        workerId,
        leaseTime,
        id,
        LeaseStore.node(workerId),
        EventType.LEASED.wire(),
        "{}");
  }

  /**
   * Sends the job's wake-up out again after a second, if it was refused to that worker because it
   * crashed on its node.
   */
  static void passOver(Connection connection, JobId id, String workerId) throws SQLException {
    Sql.update(
        connection,
        "UPDATE jobs SET claimed_until = NULL, not_before = tintype_now() + interval '1 second'"
            + " WHERE id = ? AND state = 'queued' AND avoid_until > tintype_now() AND ? ="
            + " ANY(avoid_workers)",
        id,
        LeaseStore.node(workerId));
  }

  /** Notes the node that a job has crashed on; its row is locked by this transaction. */
  static void avoid(Connection connection, Job job, Duration time) throws SQLException {
    Optional<String> node = job.worker().map(LeaseStore::node);
    Sql.update(
        connection,
        "UPDATE jobs SET avoid_workers = (array_remove(avoid_workers, ?::text) ||"
            + " ?::text)[greatest(1, cardinality(array_remove(avoid_workers, ?::text)) - 1):],"
            + " avoid_until = tintype_now() + ? * interval '1 ms' WHERE id = ?",
        node,
        node,
        node,
        time,
        job.id());
  }

  /** The row is locked by this transaction, which also queues it again. */
  static void countPreemption(Connection connection, Job job) throws SQLException {
    Sql.update(connection, "UPDATE jobs SET preemptions = preemptions + 1 WHERE id = ?", job.id());
  }

  static List<Job> start(Connection connection, Lease lease) throws SQLException {
    return Sql.query(
        connection,
        JobRows::job,
        sql(
            JobAction.START,
            "started_at = COALESCE(started_at, tintype_now())",
            "id = ? AND attempt = ?"),
        lease.jobId(),
        lease.attempt(),
        EventType.STARTED.wire(),
        "{}");
  }

  static List<Job> succeed(Connection connection, Lease lease, String json, OptionalLong gpuMs)
      throws SQLException {
    return Sql.query(
        connection,
        JobRows::job,
        sql(
            JobAction.SUCCEED,
            TO_END
                + ", gpu_ms = ?::bigint, failure_code = NULL, failure_message = NULL,"
                + " failure_retryable = NULL",
            "id = ? AND attempt = ?"),
        gpuMs.isPresent() ? Optional.of(gpuMs.getAsLong()) : Optional.empty(),
        lease.jobId(),
        lease.attempt(),
        EventType.SUCCEEDED.wire(),
        json);
  }

  /** Moves a job, whose row this transaction has locked, back to the queue. */
  static Job requeue(
      Connection connection,
      JobAction action,
      Job job,
      Duration wait,
      int crashes,
      int errors,
      List<JobFailure> failure)
      throws SQLException {
    String set = TO_QUEUE + (failure.isEmpty() ? "" : FAILURE);
    Stream<Object> arguments =
        concat(
            Stream.of(wait, crashes, errors),
            failureArguments(failure),
            Stream.of(
                job.id(),
                EventType.QUEUED.wire(),
                "{\"reason\":\"" + action.name().toLowerCase(Locale.ROOT) + "\"}"));
    return Sql.query(connection, JobRows::job, sql(action, set, "id = ?"), arguments.toArray())
        .getFirst();
  }

  /** Moves a job, whose row this transaction has locked, to its end. */
  static Job end(
      Connection connection,
      JobAction action,
      Job job,
      int crashes,
      int errors,
      List<JobFailure> failure)
      throws SQLException {
    String set = TO_END + ", crashes = ?, errors = ?" + (failure.isEmpty() ? "" : FAILURE);
    Stream<Object> arguments =
        concat(
            Stream.of(crashes, errors),
            failureArguments(failure),
            Stream.of(
                job.id(),
                endEvent(action).wire(),
                failure.isEmpty() ? "{}" : failure.getFirst().toJson()));
    return Sql.query(connection, JobRows::job, sql(action, set, "id = ?"), arguments.toArray())
        .getFirst();
  }

  static List<Job> redrive(Connection connection, JobId id) throws SQLException {
    return Sql.lastOf(
        connection,
        JobRows::job,
        OpenJobs.ADD_AGAIN
            + sql(
                JobAction.REDRIVE,
                TO_QUEUE
                    + ", preemptions = 0, finished_at = NULL, deadline = NULL, cancel_requested ="
                    + " false",
                "id = ?"),
        id,
        id,
        Duration.ZERO,
        0,
        0,
        id,
        EventType.QUEUED.wire(),
        "{\"reason\":\"redrive\"}");
  }

  private static EventType endEvent(JobAction action) {
    return switch (JobStateMachine.target(action)) {
      case SUCCEEDED -> EventType.SUCCEEDED;
      case FAILED -> EventType.FAILED;
      case CANCELED -> EventType.CANCELED;
      case EXPIRED -> EventType.EXPIRED;
      case DEAD -> EventType.DEAD;
      case QUEUED, LEASED, RUNNING -> throw new IllegalArgumentException(action + " is no end");
    };
  }

  private static Stream<Object> failureArguments(List<JobFailure> failure) {
    return failure.stream().flatMap(f -> Stream.of(f.code(), f.message(), f.retryable()));
  }

  private static Stream<Object> concat(Stream<?> first, Stream<?> second, Stream<?> third) {
    return Stream.of(first, second, third).flatMap(stream -> stream.map(Object.class::cast));
  }
}
