package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobSpec;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * What a user asks for.
 *
 * @param userId owner, as authenticated
 * @param tier that the job is queued in (the user's own, or a slower one)
 * @param mode how it is scheduled within the tier
 * @param idempotencyKey the client's key without quotes, 1..{@link #KEY_CHARS_MAX} characters; the
 *     same key and the same body give the same job for 24 hours
 * @param bodyFingerprint SHA-256 or any other stable text of what the client sent, compared under
 *     the same key; the gateway fingerprints the body as sent, because the seed in {@code spec} may
 *     have been drawn by it
 * @param joinInFlight true: an equal body of the same user that is not finished yet gives that job
 *     instead of a second one
 * @param timeLimit the job expires this long after its acceptance, or never
 * @param costMs estimated GPU-ms, at least 1
 * @param webhook URL that is told of the job's end; was checked
 */
public record SubmitRequest(
    String userId,
    String tier,
    JobMode mode,
    JobSpec spec,
    Optional<String> idempotencyKey,
    String bodyFingerprint,
    boolean joinInFlight,
    Optional<Duration> timeLimit,
    long costMs,
    Optional<String> webhook) {
  public static final int KEY_CHARS_MAX = 255;

  public SubmitRequest {
    Objects.requireNonNull(spec);
    if (idempotencyKey.isPresent()) {
      String key = idempotencyKey.get();
      if (key.isEmpty() || key.length() > KEY_CHARS_MAX || key.indexOf('\0') >= 0) {
        throw new QueueException.Invalid(
            "idempotency.key",
            "An Idempotency-Key has 1 to " + KEY_CHARS_MAX + " characters; a UUID is a good one.");
      }
    }
    if (bodyFingerprint.isEmpty() || bodyFingerprint.length() > 128) {
      throw new QueueException.Invalid(
          "job.fingerprint", "A body fingerprint has 1 to 128 characters.");
    }
    if (costMs < 1) {
      throw new QueueException.Invalid("job.cost", "A job's estimated cost is at least 1 ms.");
    }
    if (timeLimit.isPresent() && !timeLimit.get().isPositive()) {
      throw new QueueException.Invalid("job.deadline", "A time limit is longer than nothing.");
    }
  }

  /** In mode normal; nobody is told of its end. */
  public SubmitRequest(
      String userId,
      String tier,
      JobSpec spec,
      Optional<String> idempotencyKey,
      String bodyFingerprint,
      boolean joinInFlight,
      Optional<Duration> timeLimit,
      long costMs) {
    this(
        userId,
        tier,
        JobMode.NORMAL,
        spec,
        idempotencyKey,
        bodyFingerprint,
        joinInFlight,
        timeLimit,
        costMs,
        Optional.empty());
  }

  /** The same in another mode. */
  public SubmitRequest withMode(JobMode other) {
    return new SubmitRequest(
        userId,
        tier,
        other,
        spec,
        idempotencyKey,
        bodyFingerprint,
        joinInFlight,
        timeLimit,
        costMs,
        webhook);
  }

  /** The same, and that URL is told of the job's end. */
  public SubmitRequest withWebhook(Optional<String> url) {
    return new SubmitRequest(
        userId,
        tier,
        mode,
        spec,
        idempotencyKey,
        bodyFingerprint,
        joinInFlight,
        timeLimit,
        costMs,
        url);
  }

  /** No idempotency key, no joining, no deadline. */
  public static SubmitRequest plain(
      String userId, String tier, JobSpec spec, String bodyFingerprint, long costMs) {
    return new SubmitRequest(
        userId, tier, spec, Optional.empty(), bodyFingerprint, false, Optional.empty(), costMs);
  }
}
