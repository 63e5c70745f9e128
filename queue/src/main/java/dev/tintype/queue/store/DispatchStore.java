package dev.tintype.queue.store;

import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What a relay needs of the store: the heads of the queue, claims, and clearing away. */
public interface DispatchStore {
  /** Most rows that one call returns or changes. */
  int ROWS_MAX = 1000;

  /** No lease, claim or wait of a job is longer: see {@link #shortenWaits}. */
  Duration WAIT_MAX = Duration.ofMinutes(2);

  /** After two heartbeats another worker is asked for room. */
  Duration ASK_TIME = Duration.ofSeconds(10);

  /**
   * The heads of the queue: for each of at most {@code usersMax} users of that tier with work to
   * do, in the order of their ids, starting behind {@code afterUser}, their oldest {@code perUser}
   * jobs of each mode that are queued, past their backoff, not claimed, and for one of those
   * models.
   */
  ReadyPage ready(
      String tier, Set<String> models, Optional<String> afterUser, int usersMax, int perUser);

  /**
   * Claims jobs for publishing, so that no other relay publishes them too. Rows that another relay
   * has locked are passed over. A claim lapses after {@code claimTime}; then the wake-up is taken
   * for lost and the job is ready again.
   *
   * @return the ids that were claimed, in the order asked
   */
  List<JobId> claim(Collection<JobId> ids, Duration claimTime);

  /** Gives claims back (the transport was full). */
  void unclaim(Collection<JobId> ids);

  /**
   * Asks for room for urgent jobs whose wake-ups nobody took: of those tiers' running jobs of the
   * same model, in mode relax or of the relaxed tiers, that have made room less than {@link
   * LeaseStore#PREEMPTIONS_MAX} times, the newest that was not asked already. Its worker hears it
   * with the next heartbeat ({@link Renewal.Held#roomFor}) and decides. For one urgent job one
   * running job is asked at a time, for {@link #ASK_TIME}.
   *
   * @param tiers those whose jobs run on the same workers
   * @param relaxed of them those of class {@link TierClass#RELAXED}
   * @return those of {@code urgent} that are queued still
   */
  default List<JobId> askForRoom(Collection<JobId> urgent, Set<String> tiers, Set<String> relaxed) {
    return List.of();
  }

  /** By the store's clock, which alone decides when a lease, a claim or a wait ends. */
  Instant now();

  /**
   * After the store's clock was set back: leases, claims and waits that end later than {@link
   * #WAIT_MAX} from now were made before, and end then instead.
   *
   * @return of how many jobs
   */
  int shortenWaits();

  /**
   * Ends lapsed leases: queued again with backoff, canceled where that was requested, dead after
   * too many crashes.
   */
  List<Job> reapLapsed(int limit);

  /** Expires jobs whose deadline passed. */
  List<Job> expireDue(int limit);

  /**
   * Deletes jobs of that tier that ended longer than the tier's retention ago, with their logs,
   * pictures' rows and idempotency keys; the oldest first, at most {@code limit}. Dead jobs too:
   * whoever wants one back has as long as the tier keeps anything.
   *
   * @return how many
   */
  int sweep(String tier, int limit);

  /** How many jobs are queued, by model. Costs a look at all of them. */
  Map<String, Long> queuedByModel();

  /**
   * Forgets idempotency keys older than a day, and what users had in mode fast more than 30 days
   * ago; at most {@code limit} of each. Returns how many of that of which there were more.
   */
  int forgetKeys(int limit);
}
