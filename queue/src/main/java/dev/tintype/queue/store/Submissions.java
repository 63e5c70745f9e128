package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobIds;
import dev.tintype.queue.store.SubmitStatement.Submission;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepting jobs. Those that come while others are being written are written together by the next
 * {@link SubmitStatement}: one round trip and one fsync for all of them.
 */
final class Submissions {
  private static final Logger LOG = LoggerFactory.getLogger(Submissions.class);

  /**
   * Batches under way at once. Two make the batches smaller: on 2 cores they cost a quarter more
   * processor time a job, and 10 to 20 % of the throughput.
   */
  private static final int LEADERS_MAX = 1;

  /** A round trip and an fsync are then little for each; 64 take PostgreSQL about 4 ms. */
  private static final int BATCH_MAX = 64;

  /**
   * A submission whose commit is in doubt (the connection broke) is looked up and tried again this
   * often.
   */
  private static final int TRIES_MAX = 3;

  private final Database database;
  private final JobIds ids;
  private final GroupCommit<Submission, Outcome> together;

  Submissions(Database database, Clock clock, RandomGenerator random) {
    this.database = database;
    this.ids = new JobIds(clock, random);
    this.together = new GroupCommit<>(LEADERS_MAX, BATCH_MAX, Submissions::apart, this::write);
  }

  /** What a batch made of a submission. */
  private sealed interface Outcome {
    /**
     * @param job empty where nothing was written
     */
    record Written(Optional<Job> job) implements Outcome {}

    /** The batch failed, maybe because of another submission in it. */
    record NotTogether() implements Outcome {}
  }

  private List<Outcome> write(List<Submission> batch) {
    try {
      return database.call(connection -> SubmitStatement.run(connection, batch)).stream()
          .<Outcome>map(Outcome.Written::new)
          .toList();
    } catch (QueueException e) {
      if (batch.size() == 1 || !maybeOfAnother(e)) {
        throw e;
      }
      LOG.warn("{} submissions are tried one by one: {}", batch.size(), e.getMessage());
      return Collections.nCopies(batch.size(), new Outcome.NotTogether());
    }
  }

  /** Rows that the database refuses, or a lock that it did not give. */
  private static boolean maybeOfAnother(QueueException e) {
    return e instanceof QueueException.Broken
        || (e.getCause() instanceof SQLException sql && SqlErrors.blocked(sql));
  }

  /** What two submissions of one batch may not have in common, since one may answer the other. */
  private static List<?> apart(Submission submission) {
    SubmitRequest request = submission.request();
    List<Object> own = new ArrayList<>();
    request.idempotencyKey().ifPresent(key -> own.add(List.of("key", request.userId(), key)));
    if (request.joinInFlight()) {
      own.add(List.of("body", request.userId(), request.bodyFingerprint()));
    }
    return own;
  }

  SubmitResult submit(SubmitRequest request) {
    Submission submission = new Submission(ids.next(), request);
    for (int attempt = 1; ; attempt++) {
      try {
        return attempt == 1 ? first(submission) : again(submission);
      } catch (QueueException.Unavailable e) {
        if (attempt == TRIES_MAX
            || !(e.getCause() instanceof SQLException sql && SqlErrors.inDoubt(sql))) {
          throw e;
        }
      }
    }
  }

  private SubmitResult first(Submission submission) {
    return switch (together.run(submission)) {
      case Outcome.Written written -> result(submission, written.job());
      case Outcome.NotTogether apart -> again(submission);
    };
  }

  /** By itself, and looks first whether the job is there. */
  private SubmitResult again(Submission submission) {
    Optional<Job> there = database.call(connection -> byId(connection, submission.id()));
    return there.isPresent()
        ? new SubmitResult.Accepted(there.get())
        : result(
            submission,
            database.call(
                connection -> SubmitStatement.run(connection, List.of(submission)).getFirst()));
  }

  private SubmitResult result(Submission submission, Optional<Job> accepted) {
    return accepted
        .<SubmitResult>map(SubmitResult.Accepted::new)
        .orElseGet(() -> database.call(connection -> whyNot(connection, submission.request())));
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
    return database.call(connection -> earlier(connection, request));
  }

  private static Optional<SubmitResult> earlier(Connection connection, SubmitRequest request)
      throws SQLException {
    Optional<Job> open = request.joinInFlight() ? underWay(connection, request) : Optional.empty();
    return open.isPresent() ? open.map(SubmitResult.Replayed::new) : byKey(connection, request);
  }

  /**
   * Nothing was inserted: an earlier job is the answer, the user is at the limit, or there is no
   * such user or tier. (An earlier one that ended since looks like the limit: the client tries
   * again.)
   */
  private static SubmitResult whyNot(Connection connection, SubmitRequest request)
      throws SQLException {
    Optional<SubmitResult> earlier = earlier(connection, request);
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
