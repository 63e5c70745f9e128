package dev.tintype.queue.store;

import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobAction;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What relays do: look at the heads of the queue, claim, and clear away what lapsed. Several may do
 * so at once; each skips rows that another has locked.
 */
final class Dispatch {
  /** Not claimed, or the claim has lapsed: the wake-up is taken for lost. */
  private static final String FREE =
      "not_before <= tintype_now() AND (claimed_until IS NULL OR claimed_until < tintype_now())";

  /**
   * Walks the index from user to user instead of over all rows (a loose index scan), so that a user
   * with a million jobs costs as much as one with ten; and looks for the oldest of each mode, so
   * that no mode hides another. Parameters: tier, user, tier, users, tier, tier, models, jobs per
   * user.
   */
  private static final String READY =
      """
      WITH RECURSIVE walk (user_id) AS (
        (SELECT user_id FROM jobs WHERE state = 'queued' AND tier = ? AND user_id > ? ORDER BY user_id LIMIT 1)
        UNION ALL
        SELECT (SELECT j.user_id FROM jobs j WHERE j.state = 'queued' AND j.tier = ? AND j.user_id > walk.user_id
                ORDER BY j.user_id LIMIT 1)
        FROM walk WHERE walk.user_id IS NOT NULL
      ), waiting AS (
        SELECT user_id FROM walk WHERE user_id IS NOT NULL LIMIT ?
      ), room AS (
        SELECT user_id, (SELECT running_max FROM tiers WHERE name = ?)
          - (SELECT count(*) FROM jobs b WHERE b.user_id = waiting.user_id AND b.state IN ('leased', 'running'))
          - (SELECT count(*) FROM jobs c WHERE c.user_id = waiting.user_id AND c.state = 'queued' AND c.claimed_until >= tintype_now())
          AS jobs_max
        FROM waiting
      )
      SELECT room.user_id AS walked, room.jobs_max, head.* FROM room LEFT JOIN LATERAL (
        SELECT oldest.* FROM unnest(ARRAY[%s]) AS wanted (mode), LATERAL (
          SELECT id, user_id, tier, mode, model, cost_ms, created_at, deadline FROM jobs
          WHERE state = 'queued' AND tier = ? AND user_id = room.user_id AND jobs.mode = wanted.mode COLLATE "C"
            AND model = ANY(?) AND %s
          ORDER BY id LIMIT GREATEST(0, LEAST(?::bigint, room.jobs_max))) oldest
      ) head ON true ORDER BY room.user_id, head.id
      """
          .formatted(
              Arrays.stream(JobMode.values())
                  .map(mode -> "'" + mode.wire() + "'")
                  .collect(Collectors.joining(", ")),
              FREE);

  /** A claim that a power cut forgets is a claim that lapsed, so it need not wait for the disk. */
  private static final String NO_FSYNC = "SELECT set_config('synchronous_commit', 'off', true)";

  private final Database database;
  private final Leases leases;

  Dispatch(Database database, Leases leases) {
    this.database = database;
    this.leases = leases;
  }

  ReadyPage ready(
      String tier, Set<String> models, Optional<String> afterUser, int usersMax, int perUser) {
    TreeSet<String> walked = new TreeSet<>();
    List<ReadyJob> jobs = new ArrayList<>();
    database.call(
        connection ->
            Sql.query(
                connection,
                row -> {
                  walked.add(row.getString("walked"));
                  return row.getObject("id") != null && jobs.add(JobRows.ready(row));
                },
                READY,
                tier,
                afterUser.orElse(""),
                tier,
                usersMax,
                tier,
                tier,
                Sql.texts(connection, models),
                perUser));
    return new ReadyPage(
        jobs, walked.size() < usersMax ? Optional.empty() : Optional.of(walked.last()));
  }

  List<JobId> claim(Collection<JobId> ids, Duration claimTime) {
    Set<JobId> claimed =
        new HashSet<>(
            database.call(
                connection ->
                    Sql.query(
                        connection,
                        row -> Sql.id(row, "id"),
                        "WITH loose AS MATERIALIZED ("
                            + NO_FSYNC
                            + "), free AS (SELECT id FROM jobs WHERE id = ANY(?) AND state ="
                            + " 'queued' AND "
                            + FREE
                            + " ORDER BY id FOR UPDATE SKIP LOCKED)"
                            + " UPDATE jobs SET claimed_until = tintype_now() + ? * interval '1 ms'"
                            + " FROM free, loose WHERE jobs.id = free.id RETURNING jobs.id",
                        Sql.uuids(connection, ids),
                        claimTime)));
    return ids.stream().filter(claimed::contains).toList();
  }

  void unclaim(Collection<JobId> ids) {
    database.call(
        connection ->
            Sql.update(
                connection,
                "UPDATE jobs SET claimed_until = NULL WHERE id = ANY(?) AND state = 'queued'",
                Sql.uuids(connection, ids)));
  }

  Instant now() {
    return database.call(
        connection ->
            Sql.first(connection, row -> Sql.instant(row, "now"), "SELECT tintype_now() AS now")
                .orElseThrow());
  }

  int shortenWaits() {
    String set =
        Stream.of("lease_until", "claimed_until", "not_before", "avoid_until")
            .map(
                column ->
                    column
                        + " = CASE WHEN "
                        + column
                        + " > latest THEN latest ELSE "
                        + column
                        + " END")
            .collect(Collectors.joining(", "));
    return database.call(
        connection ->
            Sql.update(
                connection,
                "UPDATE jobs SET "
                    + set
                    + " FROM (SELECT tintype_now() + ? * interval '1 ms' AS latest) AS bound WHERE "
                    + JobMoves.open()
                    + " AND greatest(lease_until, claimed_until, not_before, avoid_until) > latest",
                DispatchStore.WAIT_MAX));
  }

  List<Job> reapLapsed(int limit) {
    return reap("lease_until < tintype_now()", "", limit);
  }

  void endClaims() {
    database.call(
        connection ->
            Sql.update(
                connection,
                "UPDATE jobs SET claimed_until = NULL, avoid_until = NULL WHERE state = 'queued'"
                    + " AND (claimed_until IS NOT NULL OR avoid_until IS NOT NULL)"));
  }

  List<Job> reapWorkers(String workerIdPrefix) {
    List<Job> all = new ArrayList<>();
    List<Job> some;
    do {
      some = reap("starts_with(worker, ?)", workerIdPrefix, JobStore.ROWS_MAX);
      all.addAll(some);
    } while (some.size() == JobStore.ROWS_MAX);
    return all;
  }

  private List<Job> reap(String which, String argument, int limit) {
    return database.inTransaction(
        connection -> {
          String sql =
              "SELECT * FROM jobs WHERE "
                  + JobMoves.leased()
                  + " AND "
                  + which
                  + " ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED";
          List<Job> lapsed =
              argument.isEmpty()
                  ? Sql.query(connection, JobRows::job, sql, limit)
                  : Sql.query(connection, JobRows::job, sql, argument, limit);
          List<Job> moved = new ArrayList<>();
          for (Job job : lapsed) {
            moved.add(leases.crashed(connection, job));
          }
          return moved;
        });
  }

  List<Job> expireDue(int limit) {
    return database.inTransaction(
        connection -> {
          List<Job> due =
              Sql.query(
                  connection,
                  JobRows::job,
                  "SELECT * FROM jobs WHERE deadline <= tintype_now() AND "
                      + JobMoves.open()
                      + " ORDER BY deadline LIMIT ? FOR UPDATE SKIP LOCKED",
                  limit);
          return expireAll(connection, due);
        });
  }

  private static List<Job> expireAll(Connection connection, List<Job> due) throws SQLException {
    List<Job> moved = new ArrayList<>();
    for (Job job : due) {
      moved.add(
          JobMoves.end(connection, JobAction.EXPIRE, job, job.crashes(), job.errors(), List.of()));
    }
    return moved;
  }
}
