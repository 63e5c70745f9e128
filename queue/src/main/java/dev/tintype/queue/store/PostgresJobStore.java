package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobAction;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.NewEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * The store on PostgreSQL. Every method is one statement or one short transaction; after it, {@link
 * Signals} tells followers and relays. A signal that gets lost costs a poll's wait, never a job.
 */
public final class PostgresJobStore implements JobStore {
  private final Database database;
  private final Signals signals;
  private final Submissions submissions;
  private final Leases leases;
  private final Dispatch dispatch;
  private final RoomWishes wishes;
  private final Retention retention;
  private final WorkAhead work;
  private final Inspection inspection;

  /**
   * Closes neither the database nor the signals.
   *
   * @param clock gives ids their time; everything else goes by the database's clock
   * @param random for ids and jitter; must be thread-safe, such as SecureRandom
   */
  public PostgresJobStore(
      Database database, Signals signals, RetryPolicy policy, Clock clock, RandomGenerator random) {
    this.database = database;
    this.signals = signals;
    this.submissions = new Submissions(database, clock, random);
    this.leases = new Leases(database, policy, random);
    this.dispatch = new Dispatch(database, leases);
    this.wishes = new RoomWishes(database);
    this.retention = new Retention(database);
    this.work = new WorkAhead(database);
    this.inspection = new Inspection(database);
  }

  @Override
  public Optional<SubmitResult> earlier(SubmitRequest request) {
    return submissions.earlier(request);
  }

  @Override
  public SubmitResult submit(SubmitRequest request) {
    SubmitResult result = submissions.submit(request);
    if (result instanceof SubmitResult.Accepted accepted) {
      signals.jobChanged(accepted.job().id());
      signals.workReady();
    }
    return result;
  }

  @Override
  public Optional<Job> get(JobId id) {
    return jobs("SELECT * FROM jobs WHERE id = ?", id).stream().findFirst();
  }

  @Override
  public List<Job> list(String userId, Optional<JobId> before, int limit) {
    checkLimit(limit);
    return before.isPresent()
        ? jobs(
            "SELECT * FROM jobs WHERE user_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
            userId,
            before,
            limit)
        : jobs("SELECT * FROM jobs WHERE user_id = ? ORDER BY id DESC LIMIT ?", userId, limit);
  }

  private List<Job> jobs(String sql, Object... arguments) {
    return database.call(
        connection ->
            JobRows.withImages(connection, Sql.query(connection, JobRows::job, sql, arguments)));
  }

  @Override
  public List<JobEvent> events(JobId id, long afterSeq, int limit) {
    checkLimit(limit);
    return database.call(
        connection ->
            Sql.query(
                connection,
                JobRows::event,
                "SELECT * FROM job_events WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?",
                id,
                afterSeq,
                limit));
  }

  @Override
  public List<JobEvent> events(Map<JobId, Long> afterSeqs, int limitEach) {
    checkLimit(limitEach);
    List<Map.Entry<JobId, Long>> entries = List.copyOf(afterSeqs.entrySet());
    return database.call(
        connection ->
            Sql.query(
                connection,
                JobRows::event,
                "SELECT e.* FROM unnest(?::uuid[], ?::bigint[]) AS asked (id, seq) CROSS JOIN"
                    + " LATERAL (SELECT * FROM job_events WHERE job_id = asked.id AND seq >"
                    + " asked.seq ORDER BY seq LIMIT ?) e ORDER BY e.job_id, e.seq",
                Sql.uuids(connection, entries.stream().map(Map.Entry::getKey).toList()),
                Sql.longs(connection, entries.stream().map(Map.Entry::getValue).toList()),
                limitEach));
  }

  @Override
  public CancelResult cancel(String userId, JobId id) {
    CancelResult result = database.inTransaction(connection -> cancel(connection, userId, id));
    if (result == CancelResult.CANCELED || result == CancelResult.REQUESTED) {
      signals.jobChanged(id);
    }
    return result;
  }

  private static CancelResult cancel(Connection connection, String userId, JobId id)
      throws SQLException {
    Optional<Job> found =
        Sql.first(
            connection,
            JobRows::job,
            "SELECT * FROM jobs WHERE id = ? AND user_id = ? FOR UPDATE",
            id,
            userId);
    if (found.isEmpty()) {
      return CancelResult.NOT_FOUND;
    }
    Job job = found.get();
    if (job.state().terminal()) {
      return CancelResult.ALREADY_ENDED;
    }
    if (!job.state().leased()) {
      JobMoves.end(connection, JobAction.CANCEL, job, job.crashes(), job.errors(), List.of());
      return CancelResult.CANCELED;
    }
    Sql.update(
        connection,
        "WITH asked AS (UPDATE jobs SET cancel_requested = true, last_seq = last_seq + 1"
            + " WHERE id = ? AND NOT cancel_requested RETURNING id, last_seq, attempt)"
            + " INSERT INTO job_events (job_id, seq, attempt, type, json, at)"
            + " SELECT id, last_seq, attempt, ?, '{}', tintype_now() FROM asked",
        id,
        EventType.CANCEL_REQUESTED.wire());
    return CancelResult.REQUESTED;
  }

  @Override
  public Optional<Lease> lease(JobId id, String workerId, Duration leaseTime) {
    Optional<Lease> lease = leases.lease(id, workerId, leaseTime);
    lease.ifPresent(taken -> signals.jobChanged(id));
    return lease;
  }

  @Override
  public boolean start(Lease lease) {
    return changed(lease, leases.start(lease));
  }

  @Override
  public Renewal renew(Lease lease, Duration leaseTime) {
    return leases.renew(lease, leaseTime);
  }

  @Override
  public boolean appendEvents(Lease lease, List<NewEvent> events) {
    return events.isEmpty() || changed(lease, leases.append(lease, events));
  }

  @Override
  public boolean finish(Lease lease, List<ImageRecord> images, OptionalLong gpuMs) {
    return ended(lease, leases.finish(lease, images, gpuMs));
  }

  @Override
  public Optional<JobState> fail(Lease lease, JobFailure failure) {
    Optional<JobState> state = leases.fail(lease, failure);
    ended(lease, state.isPresent());
    return state;
  }

  @Override
  public boolean finishCanceled(Lease lease) {
    return ended(lease, leases.finishCanceled(lease));
  }

  @Override
  public boolean release(Lease lease) {
    return ended(lease, leases.release(lease, JobAction.RELEASE));
  }

  @Override
  public boolean preempt(Lease lease) {
    return ended(lease, leases.release(lease, JobAction.PREEMPT));
  }

  private boolean changed(Lease lease, boolean done) {
    if (done) {
      signals.jobChanged(lease.jobId());
    }
    return done;
  }

  /**
   * The end of an attempt also makes room for the next job of the same user, or puts this one back.
   */
  private boolean ended(Lease lease, boolean done) {
    if (done) {
      signals.jobChanged(lease.jobId());
      signals.workReady();
    }
    return done;
  }

  @Override
  public ReadyPage ready(
      String tier, Set<String> models, Optional<String> afterUser, int usersMax, int perUser) {
    checkLimit(usersMax);
    checkLimit(perUser);
    return dispatch.ready(tier, models, afterUser, usersMax, perUser);
  }

  @Override
  public List<JobId> claim(Collection<JobId> ids, Duration claimTime) {
    return ids.isEmpty() ? List.of() : dispatch.claim(ids, claimTime);
  }

  @Override
  public void unclaim(Collection<JobId> ids) {
    if (!ids.isEmpty()) {
      dispatch.unclaim(ids);
    }
  }

  @Override
  public List<JobId> askForRoom(Collection<JobId> urgent, Set<String> tiers, Set<String> relaxed) {
    return urgent.isEmpty() ? List.of() : wishes.ask(urgent, tiers, relaxed);
  }

  @Override
  public Instant now() {
    return dispatch.now();
  }

  @Override
  public int shortenWaits() {
    return dispatch.shortenWaits();
  }

  @Override
  public List<Job> reapLapsed(int limit) {
    checkLimit(limit);
    return announce(dispatch.reapLapsed(limit));
  }

  @Override
  public List<Job> reapWorkers(String workerIdPrefix) {
    if (workerIdPrefix.isEmpty()) {
      throw new QueueException.Invalid(
          "worker.id", "Name the workers that are gone; an empty prefix means all of them.");
    }
    return announce(dispatch.reapWorkers(workerIdPrefix));
  }

  @Override
  public void endClaims() {
    dispatch.endClaims();
  }

  @Override
  public List<Job> expireDue(int limit) {
    checkLimit(limit);
    return announce(dispatch.expireDue(limit));
  }

  private List<Job> announce(List<Job> moved) {
    moved.forEach(job -> signals.jobChanged(job.id()));
    if (!moved.isEmpty()) {
      signals.workReady();
    }
    return moved;
  }

  @Override
  public List<Job> dead(Optional<JobId> before, int limit) {
    checkLimit(limit);
    String dead = JobMoves.in(List.of(JobState.DEAD));
    return before.isPresent()
        ? jobs(
            "SELECT * FROM jobs WHERE " + dead + " AND id < ? ORDER BY id DESC LIMIT ?",
            before,
            limit)
        : jobs("SELECT * FROM jobs WHERE " + dead + " ORDER BY id DESC LIMIT ?", limit);
  }

  @Override
  public boolean redrive(JobId id) {
    List<Job> moved = database.call(connection -> JobMoves.redrive(connection, id));
    return !announce(moved).isEmpty();
  }

  @Override
  public boolean purge(JobId id) {
    return retention.purge(id);
  }

  @Override
  public int sweep(String tier, int limit) {
    checkLimit(limit);
    return retention.sweep(tier, limit);
  }

  @Override
  public List<QueueLoad> load() {
    return inspection.load();
  }

  @Override
  public Map<String, Long> queuedByModel() {
    return work.queuedByModel();
  }

  @Override
  public int forgetKeys(int limit) {
    checkLimit(limit);
    return retention.forgetKeys(limit);
  }

  @Override
  public List<MeasuredJob> measured(int limit) {
    checkLimit(limit);
    return work.measured(limit);
  }

  @Override
  public long queuedBefore(JobId id, int most) {
    checkLimit(most);
    return work.queuedBefore(id, most);
  }

  @Override
  public long fastUsedMs(String userId) {
    return work.fastUsedMs(userId);
  }

  @Override
  public List<Backlog> backlog() {
    return work.backlog();
  }

  @Override
  public void check() {
    new Migrations(database).check();
  }

  private static void checkLimit(int limit) {
    if (limit < 1 || limit > ROWS_MAX) {
      throw new QueueException.Invalid("store.limit", "A limit is from 1 to " + ROWS_MAX + ".");
    }
  }

  @Override
  public void close() {}
}
