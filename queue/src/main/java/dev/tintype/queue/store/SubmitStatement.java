package dev.tintype.queue.store;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Writes idempotency rows, job rows and first events of any number of submissions in one round trip
 * and one commit.
 *
 * <p>Its first part locks the users until the commit; the last sees what was committed until then,
 * so of submissions of one user, in whatever process, each counts the others. The driver sends all
 * parts at once, and without a BEGIN they are one transaction (PostgreSQL manual, 54.2.3).
 */
final class SubmitStatement {
  /** How long a key is remembered. */
  static final long KEY_HOURS = 24;

  /**
   * Plans are made once for a connection, maybe while the tables are empty, and used when they are
   * not; planning anew each time would cost as much as the work.
   */
  private static final String PLAN =
      "SELECT set_config('enable_seqscan', 'off', true),"
          + " set_config('plan_cache_mode', 'force_generic_plan', true)";

  /**
   * {@code fresh} are those that no earlier job answers, numbered by user; {@code fitting} those
   * that the user's limit has room for, in the order in which they came.
   */
  private static final String INSERT =
      """
      WITH fresh AS MATERIALIZED (
        SELECT a.*, row_number() OVER (PARTITION BY a.user_id ORDER BY a.n) AS nth
        FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::text[], ?::boolean[])
          WITH ORDINALITY AS a (id, user_id, tier, key, mode, model, spec, fingerprint, cost_ms, limit_ms, webhook, joins, n)
        WHERE NOT (a.joins AND EXISTS (
            SELECT FROM jobs j WHERE j.user_id = a.user_id AND j.fingerprint = a.fingerprint AND j.%1$s OFFSET 0))
          AND (a.key IS NULL OR (SELECT i.job_id FROM idempotency i WHERE i.user_id = a.user_id AND i.key = a.key AND i.expires_at >= tintype_now()) IS NULL)
      ), room AS MATERIALIZED (
        SELECT u.id AS user_id, t.name AS tier, t.queued_max,
          CASE WHEN o.at_most + f.jobs <= t.queued_max THEN o.at_most
            ELSE (SELECT count(*) FROM (SELECT FROM jobs j WHERE j.user_id = u.id AND j.%1$s LIMIT t.queued_max) AS open)
          END AS open
        FROM (SELECT user_id, tier, max(nth) AS jobs FROM fresh GROUP BY user_id, tier) AS f
        JOIN users u ON u.id = f.user_id AND NOT u.disabled
        JOIN tiers t ON t.name = f.tier
        LEFT JOIN open_jobs o ON o.user_id = f.user_id
      ), fitting AS MATERIALIZED (
        SELECT f.* FROM fresh f JOIN room r ON r.user_id = f.user_id AND r.tier = f.tier WHERE r.open + f.nth <= r.queued_max
      ), keyed AS (
        INSERT INTO idempotency AS i (user_id, key, fingerprint, job_id, expires_at)
        SELECT user_id, key, fingerprint, id, tintype_now() + interval '%2$d hours' FROM fitting WHERE key IS NOT NULL
        ON CONFLICT (user_id, key) DO UPDATE
          SET fingerprint = excluded.fingerprint, job_id = excluded.job_id, expires_at = excluded.expires_at
          WHERE i.expires_at < tintype_now()
        RETURNING job_id
      ), job AS (
        INSERT INTO jobs (id, user_id, tier, mode, state, model, spec, fingerprint, cost_ms, created_at, not_before, deadline, last_seq, webhook)
        SELECT id, user_id, tier, mode, '%3$s', model, spec, fingerprint, cost_ms,
          tintype_now(), tintype_now(), tintype_now() + limit_ms * interval '1 ms', 1, webhook
        FROM fitting WHERE key IS NULL OR id IN (SELECT job_id FROM keyed)
        RETURNING id, user_id, created_at, deadline, attempt, last_seq
      ), opened AS (
        INSERT INTO open_jobs (user_id, at_most)
        SELECT j.user_id, j.jobs + (SELECT max(r.open) FROM room r WHERE r.user_id = j.user_id)
        FROM (SELECT user_id, count(*) AS jobs FROM job GROUP BY user_id) AS j
        ON CONFLICT (user_id) DO UPDATE SET at_most = excluded.at_most
      ), logged AS (
        INSERT INTO job_events (job_id, seq, attempt, type, json, at)
        SELECT id, last_seq, attempt, '%4$s', '{"reason":"submit"}', created_at FROM job
      )
      SELECT id, created_at, deadline FROM job
      """
          .formatted(JobMoves.open(), KEY_HOURS, JobState.QUEUED.wire(), EventType.QUEUED.wire());

  private static final String ALL = OpenJobs.LOCK + ";" + PLAN + ";" + INSERT;

  private SubmitStatement() {}

  /**
   * A request, and the id that its job will have.
   *
   * @param id drawn before the first try, so that a commit whose answer was lost is found instead
   *     of doubled
   */
  record Submission(JobId id, SubmitRequest request) {}

  /**
   * @param submissions no two with the same user and key, or that join the same
   * @return each one's job, in the same order; empty where nothing was written
   */
  static List<Optional<Job>> run(Connection connection, List<Submission> submissions)
      throws SQLException {
    Map<JobId, SubmitRequest> requests = new HashMap<>();
    submissions.forEach(each -> requests.put(each.id, each.request));
    Map<JobId, Job> jobs = new HashMap<>();
    Columns columns = new Columns(connection, submissions);
    Sql.lastOf(
            connection,
            row -> queued(row, requests),
            ALL,
            columns.of("text", each -> each.request.userId()),
            columns.of("uuid", each -> each.id.uuid()),
            columns.of("text", each -> each.request.userId()),
            columns.of("text", each -> each.request.tier()),
            columns.of("text", each -> each.request.idempotencyKey().orElse(null)),
            columns.of("text", each -> each.request.mode().wire()),
            columns.of("text", each -> each.request.spec().model()),
            columns.of("text", each -> each.request.spec().toJson()),
            columns.of("text", each -> each.request.bodyFingerprint()),
            columns.of("bigint", each -> each.request.costMs()),
            columns.of(
                "bigint", each -> each.request.timeLimit().map(Duration::toMillis).orElse(null)),
            columns.of("text", each -> each.request.webhook().orElse(null)),
            columns.of("boolean", each -> each.request.joinInFlight()))
        .forEach(job -> jobs.put(job.id(), job));
    return submissions.stream().map(each -> Optional.ofNullable(jobs.get(each.id))).toList();
  }

  /** Submissions as arrays, one a parameter. */
  private record Columns(Connection connection, List<Submission> rows) {
    Array of(String type, Function<Submission, Object> value) throws SQLException {
      return connection.createArrayOf(type, rows.stream().map(value).toArray());
    }
  }

  /** The row that was just written, without reading back what is known. */
  private static Job queued(ResultSet row, Map<JobId, SubmitRequest> requests) throws SQLException {
    JobId id = Sql.id(row, "id");
    SubmitRequest request = requests.get(id);
    return new Job(
        id,
        request.userId(),
        request.tier(),
        request.mode(),
        JobState.QUEUED,
        request.spec(),
        0,
        0,
        0,
        0,
        false,
        request.costMs(),
        Sql.instant(row, "created_at"),
        Optional.empty(),
        Optional.empty(),
        Sql.optionalInstant(row, "deadline"),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        1);
  }
}
