package dev.tintype.queue.relay;

import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.store.ReadyJob;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;

/**
 * The order between the jobs of one lane: the urgent by age, else the users by start-time fair
 * queueing.
 */
final class UserTurns {
  /** The draw is made once per look, so that the order of comparison does not matter. */
  record Candidate(ReadyJob job, long draw) {}

  private final Map<String, Double> finish = new HashMap<>();
  private Duration urgentAfter = Duration.ZERO;
  private double userTime;

  /**
   * @param bound of waiting in this lane
   */
  void bound(Duration bound) {
    urgentAfter = Duration.ofMillis(Math.round(bound.toMillis() * FairPolicy.URGENT_AFTER));
  }

  /** When it was accepted, for a job that is urgent; for all others the end of time. */
  private Instant urgency(ReadyJob job, Instant now) {
    return job.createdAt().plus(urgentAfter).isAfter(now) ? Instant.MAX : job.createdAt();
  }

  /** Between the jobs of one user; equals stay as they stand. */
  Comparator<Candidate> ofOneUser(Instant now) {
    return Comparator.<Candidate, Instant>comparing(candidate -> urgency(candidate.job(), now))
        .thenComparing(candidate -> candidate.job().mode() != JobMode.FAST);
  }

  /** Between the first jobs of users. */
  Comparator<Candidate> order(Instant now) {
    return Comparator.<Candidate, Instant>comparing(candidate -> urgency(candidate.job(), now))
        .thenComparingDouble(candidate -> userStart(candidate.job().userId()))
        .thenComparing(candidate -> candidate.job().deadline().orElse(Instant.MAX))
        .thenComparingLong(Candidate::draw);
  }

  private double userStart(String userId) {
    return Math.max(userTime, finish.getOrDefault(userId, 0.0));
  }

  void charge(ReadyJob job) {
    userTime = userStart(job.userId());
    finish.put(job.userId(), userTime + job.costMs());
    if (finish.size() > FairPolicy.USERS_MAX) {
      finish.values().removeIf(end -> end <= userTime);
    }
  }

  void refund(ReadyJob job) {
    finish.computeIfPresent(job.userId(), (user, end) -> end - job.costMs());
  }
}
