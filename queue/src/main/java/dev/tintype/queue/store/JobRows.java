package dev.tintype.queue.store;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.job.JobState;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Rows as records. */
final class JobRows {
  private JobRows() {}

  /** A job without its pictures; {@link #withImages} adds them. */
  static Job job(ResultSet row) throws SQLException {
    String failureCode = row.getString("failure_code");
    Optional<JobFailure> failure =
        failureCode == null
            ? Optional.empty()
            : Optional.of(
                new JobFailure(
                    failureCode,
                    row.getString("failure_message"),
                    row.getBoolean("failure_retryable")));
    return new Job(
        Sql.id(row, "id"),
        row.getString("user_id"),
        row.getString("tier"),
        JobMode.ofWire(row.getString("mode")),
        JobState.ofWire(row.getString("state")),
        JobSpec.fromJson(row.getString("spec")),
        row.getInt("attempt"),
        row.getInt("crashes"),
        row.getInt("errors"),
        row.getInt("preemptions"),
        row.getBoolean("cancel_requested"),
        row.getLong("cost_ms"),
        Sql.instant(row, "created_at"),
        Sql.optionalInstant(row, "started_at"),
        Sql.optionalInstant(row, "finished_at"),
        Sql.optionalInstant(row, "deadline"),
        Optional.ofNullable(row.getString("worker")),
        List.of(),
        failure,
        row.getLong("last_seq"));
  }

  /** Adds the pictures of those jobs that have any, in one query. */
  static List<Job> withImages(Connection connection, List<Job> jobs) throws SQLException {
    List<JobId> done =
        jobs.stream().filter(job -> job.state() == JobState.SUCCEEDED).map(Job::id).toList();
    if (done.isEmpty()) {
      return jobs;
    }
    Map<JobId, ArrayList<ImageRecord>> images = new HashMap<>();
    Sql.query(
        connection,
        row ->
            images.computeIfAbsent(Sql.id(row, "job_id"), id -> new ArrayList<>()).add(image(row)),
        "SELECT * FROM images WHERE job_id = ANY(?) ORDER BY job_id, idx",
        Sql.uuids(connection, done));
    return jobs.stream().map(job -> withImages(job, images.get(job.id()))).toList();
  }

  private static Job withImages(Job job, List<ImageRecord> images) {
    return images == null
        ? job
        : new Job(
            job.id(),
            job.userId(),
            job.tier(),
            job.mode(),
            job.state(),
            job.spec(),
            job.attempt(),
            job.crashes(),
            job.errors(),
            job.preemptions(),
            job.cancelRequested(),
            job.costMs(),
            job.createdAt(),
            job.startedAt(),
            job.finishedAt(),
            job.deadline(),
            job.worker(),
            images,
            job.failure(),
            job.lastSeq());
  }

  private static ImageRecord image(ResultSet row) throws SQLException {
    return new ImageRecord(
        row.getInt("idx"),
        row.getString("sha256"),
        row.getInt("width"),
        row.getInt("height"),
        row.getLong("seed"),
        row.getLong("bytes"),
        Optional.ofNullable(row.getString("thumb_hash")),
        optionalLong(row, "gpu_ms"));
  }

  private static OptionalLong optionalLong(ResultSet row, String column) throws SQLException {
    long value = row.getLong(column);
    return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(value);
  }

  static JobEvent event(ResultSet row) throws SQLException {
    return new JobEvent(
        Sql.id(row, "job_id"),
        row.getInt("attempt"),
        row.getLong("seq"),
        EventType.ofWire(row.getString("type")),
        row.getString("json"),
        Sql.instant(row, "at"));
  }

  static ReadyJob ready(ResultSet row) throws SQLException {
    return new ReadyJob(
        Sql.id(row, "id"),
        row.getString("user_id"),
        row.getString("tier"),
        JobMode.ofWire(row.getString("mode")),
        row.getString("model"),
        row.getLong("cost_ms"),
        Sql.instant(row, "created_at"),
        Sql.optionalInstant(row, "deadline"),
        row.getInt("jobs_max"));
  }
}
