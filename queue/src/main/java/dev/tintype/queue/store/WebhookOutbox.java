package dev.tintype.queue.store;

import dev.tintype.queue.job.JobId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * Webhooks that are owed. The statement that ends a job writes its row; a row goes when it was
 * taken, was given up, or its job is deleted.
 */
public interface WebhookOutbox {
  /** Most rows of one user in one claim, so that slow receivers hold up nobody else. */
  int PER_USER_MAX = 4;

  /**
   * @param seq of the event that ended the job; a job that was re-driven ends again, with another
   * @param event such as {@code job.succeeded}
   * @param at when the job ended
   * @param tries this one included
   */
  record Owed(JobId jobId, long seq, String url, String event, Instant at, int tries) {}

  /**
   * Rows that are due, the longest due first. They are due again after {@code claimTime}, unless
   * told otherwise: so a sender may die.
   */
  List<Owed> claim(int limit, Duration claimTime);

  /**
   * What is owed to anybody now.
   *
   * @param rows how many, counted up to {@value #COUNT_MAX}
   * @param oldest since the first of them is owed; zero where there is none
   */
  record Waiting(long rows, Duration oldest) {}

  /** Counting more would cost more than it tells. */
  int COUNT_MAX = 100_000;

  /** For metrics. */
  Waiting waiting();

  /** Forgets a row. */
  void done(Owed owed);

  /** Due again in that time. */
  void again(Owed owed, Duration wait);
}
