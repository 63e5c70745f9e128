package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobAction;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.JobStateMachine;
import dev.tintype.queue.job.NewEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/**
 * What a worker may do with its lease. Every statement carries the fence: {@code id = ? AND attempt
 * = ?} and a state that a lease owns.
 */
final class Leases {
  static final int EVENTS_PER_APPEND_MAX = 100;
  static final int WORKER_ID_CHARS_MAX = 200;

  private static final String OWNED = "id = ? AND attempt = ? AND " + JobMoves.leased();

  private static final String APPEND =
      "WITH owner AS (UPDATE jobs SET last_seq = last_seq + ? WHERE "
          + OWNED
          + " RETURNING id, attempt, last_seq) INSERT INTO job_events (job_id, seq, attempt, type,"
          + " json, at) SELECT owner.id, owner.last_seq - ? + fresh.place, owner.attempt,"
          + " fresh.type, fresh.json, tintype_now() FROM owner, unnest(?::text[], ?::text[]) WITH"
          + " ORDINALITY AS fresh (type, json, place)";

  private static final String INSERT_IMAGE =
      "INSERT INTO images (job_id, idx, sha256, width, height, seed, bytes, thumb_hash, gpu_ms)"
          + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?::bigint)";

  private final Database database;
  private final RetryPolicy policy;
  private final RandomGenerator random;

  Leases(Database database, RetryPolicy policy, RandomGenerator random) {
    this.database = database;
    this.policy = policy;
    this.random = random;
  }

  Optional<Lease> lease(JobId id, String workerId, Duration leaseTime) {
    if (workerId.isEmpty() || workerId.length() > WORKER_ID_CHARS_MAX) {
      throw new QueueException.Invalid(
          "worker.id", "A worker's id has 1 to " + WORKER_ID_CHARS_MAX + " characters.");
    }
    return database.call(
        connection -> {
          Optional<Lease> lease =
              JobMoves.lease(connection, id, workerId, leaseTime).stream().findFirst();
          if (lease.isEmpty()) {
            JobMoves.passOver(connection, id, workerId);
          }
          return lease;
        });
  }

  boolean start(Lease lease) {
    return database.call(connection -> !JobMoves.start(connection, lease).isEmpty());
  }

  Renewal renew(Lease lease, Duration leaseTime) {
    return database.call(
        connection ->
            Sql.<Renewal>first(
                    connection,
                    row ->
                        new Renewal.Held(
                            Sql.instant(row, "lease_until"),
                            row.getBoolean("cancel_requested"),
                            Optional.ofNullable(row.getString("waits")).map(JobId::new)),
                    "UPDATE jobs SET lease_until = tintype_now() + ? * interval '1 ms' WHERE "
                        + OWNED
                        + " RETURNING lease_until, cancel_requested, (SELECT urgent.id FROM jobs"
                        + " urgent WHERE urgent.id = jobs.room_for AND urgent.state = 'queued') AS"
                        + " waits",
                    leaseTime,
                    lease.jobId(),
                    lease.attempt())
                .orElseGet(Renewal.Lost::new));
  }

  boolean append(Lease lease, List<NewEvent> events) {
    if (events.size() > EVENTS_PER_APPEND_MAX) {
      throw new QueueException.Invalid(
          "job.event", "At most " + EVENTS_PER_APPEND_MAX + " events are appended at once.");
    }
    return database.call(
        connection ->
            Sql.update(
                    connection,
                    APPEND,
                    events.size(),
                    lease.jobId(),
                    lease.attempt(),
                    events.size(),
                    Sql.texts(
                        connection, events.stream().map(event -> event.type().wire()).toList()),
                    Sql.texts(connection, events.stream().map(NewEvent::json).toList()))
                == events.size());
  }

  boolean finish(Lease lease, List<ImageRecord> images, OptionalLong gpuMs) {
    if (images.isEmpty()
        || images.stream().map(ImageRecord::index).distinct().count() != images.size()) {
      throw new QueueException.Invalid(
          "job.image", "A job ends with at least one picture, each with an index of its own.");
    }
    String json =
        images.stream()
            .map(ImageRecord::toJson)
            .collect(Collectors.joining(",", "{\"images\":[", "]}"));
    return database.inTransaction(
        connection -> {
          if (JobMoves.succeed(connection, lease, json, gpuMs).isEmpty()) {
            return false;
          }
          for (ImageRecord image : images) {
            insert(connection, lease.jobId(), image);
          }
          if (lease.job().mode() == JobMode.FAST) {
            FastUse.charge(connection, lease.jobId());
          }
          return true;
        });
  }

  private static void insert(Connection connection, JobId id, ImageRecord image)
      throws SQLException {
    Sql.update(
        connection,
        INSERT_IMAGE,
        id,
        image.index(),
        image.sha256(),
        image.width(),
        image.height(),
        image.seed(),
        image.bytes(),
        image.thumbHash(),
        image.gpuMs().isPresent() ? Optional.of(image.gpuMs().getAsLong()) : Optional.empty());
  }

  Optional<JobState> fail(Lease lease, JobFailure failure) {
    return database.inTransaction(
        connection -> {
          Optional<Job> owned = lockOwned(connection, lease);
          return owned.isEmpty()
              ? Optional.empty()
              : Optional.of(failed(connection, owned.get(), failure).state());
        });
  }

  private Job failed(Connection connection, Job job, JobFailure failure) throws SQLException {
    int errors = job.errors() + 1;
    JobAction action = policy.afterError(errors, failure.retryable(), job.cancelRequested());
    if (JobStateMachine.target(action) == JobState.QUEUED) {
      Duration wait = policy.backoff(job.crashes() + errors, random);
      return JobMoves.requeue(
          connection, action, job, wait, job.crashes(), errors, List.of(failure));
    }
    List<JobFailure> cause = action == JobAction.CANCEL ? List.of() : List.of(failure);
    return JobMoves.end(connection, action, job, job.crashes(), errors, cause);
  }

  /**
   * A job whose worker is gone: queued again, or canceled, or dead. The row is locked by this
   * transaction.
   */
  Job crashed(Connection connection, Job job) throws SQLException {
    int crashes = job.crashes() + 1;
    JobAction action = policy.afterCrash(crashes, job.cancelRequested());
    if (JobStateMachine.target(action) == JobState.QUEUED) {
      Duration wait = policy.backoff(crashes + job.errors(), random);
      JobMoves.avoid(connection, job, wait.plus(JobStore.AVOID_TIME));
      return JobMoves.requeue(connection, action, job, wait, crashes, job.errors(), List.of());
    }
    List<JobFailure> cause =
        action == JobAction.CANCEL
            ? List.of()
            : List.of(
                new JobFailure(
                    "job.crashes",
                    "The worker stopped "
                        + crashes
                        + " times while it ran this job; it is not tried again.",
                    false));
    return JobMoves.end(connection, action, job, crashes, job.errors(), cause);
  }

  boolean finishCanceled(Lease lease) {
    return database.inTransaction(
        connection -> {
          Optional<Job> owned = lockOwned(connection, lease);
          if (owned.isEmpty() || !owned.get().cancelRequested()) {
            return false;
          }
          canceled(connection, owned.get());
          return true;
        });
  }

  private static void canceled(Connection connection, Job job) throws SQLException {
    JobMoves.end(connection, JobAction.CANCEL, job, job.crashes(), job.errors(), List.of());
    if (job.mode() == JobMode.FAST) {
      FastUse.chargeCanceled(connection, job.id());
    }
  }

  /**
   * @param action {@link JobAction#RELEASE} or {@link JobAction#PREEMPT}
   */
  boolean release(Lease lease, JobAction action) {
    return database.inTransaction(
        connection -> {
          Optional<Job> owned = lockOwned(connection, lease);
          if (owned.isEmpty()) {
            return false;
          }
          Job job = owned.get();
          if (job.cancelRequested()) {
            canceled(connection, job);
          } else {
            if (action == JobAction.PREEMPT) {
              JobMoves.countPreemption(connection, job);
            }
            JobMoves.requeue(
                connection, action, job, Duration.ZERO, job.crashes(), job.errors(), List.of());
          }
          return true;
        });
  }

  private static Optional<Job> lockOwned(Connection connection, Lease lease) throws SQLException {
    return Sql.first(
        connection,
        JobRows::job,
        "SELECT * FROM jobs WHERE " + OWNED + " FOR UPDATE",
        lease.jobId(),
        lease.attempt());
  }
}
