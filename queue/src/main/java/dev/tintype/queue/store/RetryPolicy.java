package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobAction;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * What becomes of a job whose attempt went wrong. Crashes (lapsed leases) and errors (reported) are
 * counted apart, because a job that kills its worker must be stopped sooner than one that meets a
 * flaky disk.
 *
 * @param crashesMax the crash with this number kills the job, default 3
 * @param errorsMax the error with this number kills the job, default 5
 * @param backoffFirst wait after the first failure, default 1 s; it doubles with each further one
 * @param backoffMax longest wait, default 60 s
 */
public record RetryPolicy(
    int crashesMax, int errorsMax, Duration backoffFirst, Duration backoffMax) {
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(3, 5, Duration.ofSeconds(1), Duration.ofSeconds(60));

  public RetryPolicy {
    if (crashesMax < 1
        || errorsMax < 1
        || backoffFirst.isNegative()
        || backoffMax.compareTo(backoffFirst) < 0) {
      throw new QueueException.Invalid(
          "store.config", "Limits are at least 1, and backoffMax is not below backoffFirst.");
    }
  }

  /** After a lapse; {@code crashes} counts this one. */
  public JobAction afterCrash(int crashes, boolean cancelRequested) {
    if (cancelRequested) {
      return JobAction.CANCEL;
    }
    return crashes >= crashesMax ? JobAction.BURY : JobAction.LAPSE;
  }

  /** After a reported error; {@code errors} counts this one. */
  public JobAction afterError(int errors, boolean retryable, boolean cancelRequested) {
    if (cancelRequested) {
      return JobAction.CANCEL;
    }
    if (!retryable) {
      return JobAction.FAIL;
    }
    return errors >= errorsMax ? JobAction.BURY : JobAction.RETRY;
  }

  /**
   * The wait before the next attempt after {@code failures} failures: half of it certain, half
   * drawn, so that a crowd spreads out.
   */
  public Duration backoff(int failures, RandomGenerator random) {
    double full =
        Math.min(
            backoffMax.toMillis(),
            backoffFirst.toMillis() * Math.pow(2, Math.min(30, failures - 1.0)));
    return Duration.ofMillis(Math.round(full / 2 + random.nextDouble() * full / 2));
  }
}
