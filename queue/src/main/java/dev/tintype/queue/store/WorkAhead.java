package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobSpec;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How much work waits, and what work of that kind took. */
final class WorkAhead {
  /** Tiers times models, relaxed and not; beyond, the rest is left out. */
  private static final int GROUPS_MAX = 10_000;

  private final Database database;

  WorkAhead(Database database) {
    this.database = database;
  }

  List<MeasuredJob> measured(int limit) {
    return database
        .call(
            connection ->
                Sql.query(
                    connection,
                    row ->
                        new MeasuredJob(
                            JobSpec.fromJson(row.getString("spec")), row.getLong("gpu_ms")),
                    "SELECT spec, gpu_ms FROM jobs WHERE gpu_ms IS NOT NULL ORDER BY finished_at"
                        + " DESC LIMIT ?",
                    limit))
        .reversed();
  }

  long queuedBefore(JobId id, int most) {
    return database.call(
        connection ->
            Sql.query(
                    connection,
                    row -> row.getLong(1),
                    "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'queued' AND id < ?"
                        + " LIMIT ?) earlier",
                    id.uuid(),
                    most)
                .getFirst());
  }

  Map<String, Long> queuedByModel() {
    Map<String, Long> jobs = new TreeMap<>();
    database.call(
        connection ->
            Sql.query(
                connection,
                row -> jobs.put(row.getString(1), row.getLong(2)),
                "SELECT model, count(*) FROM jobs WHERE state = 'queued' GROUP BY model"));
    return jobs;
  }

  long fastUsedMs(String userId) {
    return database.call(connection -> FastUse.usedMs(connection, userId));
  }

  List<Backlog> backlog() {
    return database.call(
        connection ->
            Sql.query(
                connection,
                row ->
                    new Backlog(
                        row.getString(1), row.getBoolean(2), row.getString(3), row.getLong(4)),
                "SELECT tier, mode = 'relax' AS relaxed, model, sum(cost_ms)::bigint FROM jobs"
                    + " WHERE state = 'queued' GROUP BY tier, relaxed, model LIMIT ?",
                GROUPS_MAX));
  }
}
