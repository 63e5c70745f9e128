package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobIds;
import dev.tintype.queue.job.JobState;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Accepting jobs. The common case is one statement and so one round trip and one fsync: idempotency
 * row, job row and first event are written by one WITH, each only if the one before it was.
 */
final class Submissions {
  /** How long a key is remembered. */
  static final long KEY_HOURS = 24;

  /**
   * A submission whose commit is in doubt (the connection broke) is looked up and tried again this
   * often.
   */
  private static final int TRIES_MAX = 3;

  /**
   * Parameters: tier, user, (limit) user, key, user, key, fingerprint, id; key; id, mode, model,
   * spec, fingerprint, cost, time limit in ms, webhook; key; event type, payload.
   */
  private static final String SUBMIT =
      """
      WITH who AS (
        SELECT u.id AS user_id, t.name AS tier FROM users u JOIN tiers t ON t.name = ?
        WHERE u.id = ? AND NOT u.disabled
          AND (SELECT count(*) FROM (SELECT 1 FROM jobs o WHERE o.user_id = ? AND o.%1$s LIMIT t.queued_max) open) < t.queued_max
      ), keyed AS (
        INSERT INTO idempotency AS i (user_id, key, fingerprint, job_id, expires_at)
        SELECT user_id, ?, ?, ?, tintype_now() + interval '%2$d hours' FROM who WHERE ?::text IS NOT NULL
        ON CONFLICT (user_id, key) DO UPDATE
          SET fingerprint = excluded.fingerprint, job_id = excluded.job_id, expires_at = excluded.expires_at
          WHERE i.expires_at < tintype_now()
        RETURNING user_id
      ), job AS (
        INSERT INTO jobs (id, user_id, tier, mode, state, model, spec, fingerprint, cost_ms, created_at, not_before, deadline, last_seq, webhook)
        SELECT ?, user_id, tier, ?, '%3$s', ?, ?, ?, ?, tintype_now(), tintype_now(), tintype_now() + ? * interval '1 ms', 1, ?::text
        FROM who WHERE ?::text IS NULL OR EXISTS (SELECT FROM keyed)
        RETURNING *
      ), logged AS (
        INSERT INTO job_events (job_id, seq, attempt, type, json, at)
        SELECT id, last_seq, attempt, ?, ?, created_at FROM job
      )
      SELECT * FROM job
      """
          .formatted(JobMoves.open(), KEY_HOURS, JobState.QUEUED.wire());

  private final Database database;
  private final JobIds ids;

  Submissions(Database database, Clock clock, RandomGenerator random) {
    this.database = database;
    this.ids = new JobIds(clock, random);
  }

  SubmitResult submit(SubmitRequest request) {
    JobId id = ids.next();
    for (int attempt = 1; ; attempt++) {
      try {
        return attempt == 1 ? submitOnce(id, request) : submitAgain(id, request);
      } catch (QueueException.Unavailable e) {
        if (attempt == TRIES_MAX
            || !(e.getCause() instanceof SQLException sql && SqlErrors.inDoubt(sql))) {
          throw e;
        }
      }
    }
  }

  /**
   * The id was drawn before the first try, so that a commit whose answer was lost is found instead
   * of doubled.
   */
  private SubmitResult submitAgain(JobId id, SubmitRequest request) {
    return database
        .call(connection -> byId(connection, id))
        .<SubmitResult>map(SubmitResult.Accepted::new)
        .orElseGet(() -> submitOnce(id, request));
  }

  private SubmitResult submitOnce(JobId id, SubmitRequest request) {
    return request.joinInFlight()
        ? database.inTransaction(connection -> join(connection, id, request))
        : database.call(connection -> insert(connection, id, request));
  }

  /** The lock makes two equal submissions at the same moment see one another. */
  private SubmitResult join(Connection connection, JobId id, SubmitRequest request)
      throws SQLException {
    Sql.query(
        connection,
        row -> true,
        "SELECT pg_advisory_xact_lock(hashtextextended(?, 7))",
        request.userId() + "\n" + request.bodyFingerprint());
    Optional<Job> open = underWay(connection, request);
    return open.isPresent()
        ? new SubmitResult.Replayed(open.get())
        : insert(connection, id, request);
  }

  private static Optional<Job> underWay(Connection connection, SubmitRequest request)
      throws SQLException {
    return Sql.first(
        connection,
        JobRows::job,
        "SELECT * FROM jobs WHERE user_id = ? AND fingerprint = ? AND "
            + JobMoves.open()
            + " ORDER BY id LIMIT 1",
        request.userId(),
        request.bodyFingerprint());
  }

  /** The answer that an earlier submission decides, without writing. */
  Optional<SubmitResult> earlier(SubmitRequest request) {
    return database.call(
        connection -> {
          Optional<Job> open =
              request.joinInFlight() ? underWay(connection, request) : Optional.empty();
          return open.isPresent()
              ? open.map(SubmitResult.Replayed::new)
              : byKey(connection, request);
        });
  }

  private SubmitResult insert(Connection connection, JobId id, SubmitRequest request)
      throws SQLException {
    Optional<String> key = request.idempotencyKey();
    Optional<Job> accepted =
        Sql.first(
            connection,
            JobRows::job,
            SUBMIT,
            request.tier(),
            request.userId(),
            request.userId(),
            key,
            request.bodyFingerprint(),
            id,
            key,
            id,
            request.mode().wire(),
            request.spec().model(),
            request.spec().toJson(),
            request.bodyFingerprint(),
            request.costMs(),
            request.timeLimit().map(limit -> limit.toMillis()),
            request.webhook(),
            key,
            EventType.QUEUED.wire(),
            "{\"reason\":\"submit\"}");
    return accepted.isPresent()
        ? new SubmitResult.Accepted(accepted.get())
        : whyNot(connection, request);
  }

  /**
   * Nothing was inserted: the key is taken, the user is at the limit, or there is no such user or
   * tier.
   */
  private static SubmitResult whyNot(Connection connection, SubmitRequest request)
      throws SQLException {
    Optional<SubmitResult> earlier = byKey(connection, request);
    if (earlier.isPresent()) {
      return earlier.get();
    }
    return Sql.<SubmitResult>first(
            connection,
            row -> new SubmitResult.OverLimit(row.getInt("queued_max")),
            "SELECT t.queued_max FROM users u JOIN tiers t ON t.name = ? WHERE u.id = ? AND NOT"
                + " u.disabled",
            request.tier(),
            request.userId())
        .orElseThrow(
            () ->
                new QueueException.Invalid(
                    "account.unknown", "There is no such user or tier, or the user is disabled."));
  }

  private static Optional<SubmitResult> byKey(Connection connection, SubmitRequest request)
      throws SQLException {
    if (request.idempotencyKey().isEmpty()) {
      return Optional.empty();
    }
    return Sql.<Optional<SubmitResult>>first(
            connection,
            row -> earlier(connection, row, request),
            "SELECT fingerprint, job_id FROM idempotency WHERE user_id = ? AND key = ? AND"
                + " expires_at >= tintype_now()",
            request.userId(),
            request.idempotencyKey())
        .flatMap(found -> found);
  }

  private static Optional<SubmitResult> earlier(
      Connection connection, ResultSet row, SubmitRequest request) throws SQLException {
    JobId jobId = Sql.id(row, "job_id");
    if (!row.getString("fingerprint").equals(request.bodyFingerprint())) {
      return Optional.of(new SubmitResult.Conflict(jobId));
    }
    return byId(connection, jobId).map(SubmitResult.Replayed::new);
  }

  private static Optional<Job> byId(Connection connection, JobId id) throws SQLException {
    List<Job> jobs = Sql.query(connection, JobRows::job, "SELECT * FROM jobs WHERE id = ?", id);
    return JobRows.withImages(connection, jobs).stream().findFirst();
  }
}
