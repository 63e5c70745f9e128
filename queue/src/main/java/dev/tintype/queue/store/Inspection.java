package dev.tintype.queue.store;

import dev.tintype.queue.job.JobState;
import java.time.Duration;
import java.util.List;

/** What admins and metrics ask for. */
final class Inspection {
  /** Tiers times models times four states; beyond, the rest is left out. */
  private static final int GROUPS_MAX = 10_000;

  private final Database database;

  Inspection(Database database) {
    this.database = database;
  }

  List<QueueLoad> load() {
    return database.call(
        connection ->
            Sql.query(
                connection,
                row ->
                    new QueueLoad(
                        row.getString("tier"),
                        row.getString("model"),
                        JobState.ofWire(row.getString("state")),
                        row.getLong("jobs"),
                        Duration.ofMillis(Math.max(0, row.getLong("oldest_ms"))),
                        row.getLong("cost_ms"),
                        row.getLong("crashes"),
                        row.getLong("errors")),
                "SELECT tier, model, state, count(*) AS jobs, (extract(epoch FROM tintype_now() -"
                    + " min(created_at)) * 1000)::bigint AS oldest_ms, sum(cost_ms)::bigint AS"
                    + " cost_ms, sum(crashes) AS crashes, sum(errors) AS errors FROM jobs WHERE "
                    + JobMoves.open()
                    + " OR state = 'dead' GROUP BY tier, model, state ORDER BY tier, model, state"
                    + " LIMIT ?",
                GROUPS_MAX));
  }
}
