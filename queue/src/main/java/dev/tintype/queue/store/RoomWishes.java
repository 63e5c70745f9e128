package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Notes in a running job's row that it is asked to make room for an urgent one. A wish is no move:
 * state, fence and log stay, and the worker may ignore it.
 */
final class RoomWishes {
  private record Waiting(JobId id, String model) {}

  private static final String STILL_WAITING =
      "SELECT id, model FROM jobs WHERE id = ANY(?) AND state = 'queued'"
          + " AND not_before <= tintype_now()";

  /**
   * Parameters: model, tiers, relaxed tiers, preemptions, age of a wish, urgent job, urgent job,
   * age.
   */
  private static final String ASK =
      """
      WITH chosen AS (
        SELECT id FROM jobs WHERE state = 'running' AND model = ? AND tier = ANY(?) AND (mode = '%s' OR tier = ANY(?))
          AND preemptions < ? AND NOT cancel_requested
          AND (room_for IS NULL OR room_asked_at < tintype_now() - ? * interval '1 ms')
        ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
      UPDATE jobs SET room_for = ?, room_asked_at = tintype_now() FROM chosen WHERE jobs.id = chosen.id
        AND NOT EXISTS (SELECT FROM jobs asked WHERE asked.state = 'running' AND asked.room_for = ?
          AND asked.room_asked_at >= tintype_now() - ? * interval '1 ms')
      """
          .formatted(JobMode.RELAX.wire());

  private final Database database;

  RoomWishes(Database database) {
    this.database = database;
  }

  List<JobId> ask(Collection<JobId> urgent, Set<String> tiers, Set<String> relaxed) {
    Set<JobId> queued = new HashSet<>();
    database.inTransaction(
        connection -> {
          List<Waiting> waiting =
              Sql.query(
                  connection,
                  row -> new Waiting(Sql.id(row, "id"), row.getString("model")),
                  STILL_WAITING,
                  Sql.uuids(connection, urgent));
          for (Waiting job : waiting) {
            queued.add(job.id());
            askOne(connection, job, tiers, relaxed);
          }
          return null;
        });
    return urgent.stream().filter(queued::contains).toList();
  }

  private static void askOne(
      Connection connection, Waiting job, Set<String> tiers, Set<String> relaxed)
      throws SQLException {
    Sql.update(
        connection,
        ASK,
        job.model(),
        Sql.texts(connection, tiers),
        Sql.texts(connection, relaxed),
        LeaseStore.PREEMPTIONS_MAX,
        DispatchStore.ASK_TIME,
        job.id(),
        job.id(),
        DispatchStore.ASK_TIME);
  }
}
