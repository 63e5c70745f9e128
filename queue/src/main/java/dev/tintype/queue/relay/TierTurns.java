package dev.tintype.queue.relay;

import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.relay.UserTurns.Candidate;
import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.Tier;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One tier: its two lanes, which share its time, and the order in each. The background lane is for
 * jobs in mode relax; all others are in the first. A lane without work leaves its time to the
 * other.
 */
final class TierTurns {
  private final Turns turns = new Turns();
  private final Lane first = new Lane();
  private final Lane background = new Lane();
  private double laneTime;

  private static final class Lane {
    final Turns turns = new Turns();
    final UserTurns users = new UserTurns();

    /** Jobs of this look, by user. */
    final Map<String, Deque<Candidate>> waiting = new LinkedHashMap<>();
  }

  /** How many more jobs of each user may be taken in this look. */
  private final Map<String, Integer> rooms = new HashMap<>();

  void settings(Tier tier, double weight) {
    turns.weight(weight);
    first.turns.weight(1 - FairPolicy.RELAX_SHARE);
    background.turns.weight(FairPolicy.RELAX_SHARE);
    first.users.bound(tier.maxWait());
    background.users.bound(FairPolicy.relaxBound(tier));
  }

  /** Between tiers. */
  double start(double virtualTime) {
    return turns.start(virtualTime);
  }

  private Lane lane(ReadyJob job) {
    return job.mode() == JobMode.RELAX ? background : first;
  }

  /** A look begins. */
  void look(List<Candidate> jobs, Instant now) {
    rooms.clear();
    first.waiting.clear();
    background.waiting.clear();
    Map<Lane, Map<String, List<Candidate>>> byUser = new HashMap<>();
    for (Candidate candidate : jobs) {
      ReadyJob job = candidate.job();
      rooms.put(job.userId(), job.userRoom());
      byUser
          .computeIfAbsent(lane(job), lane -> new LinkedHashMap<>())
          .computeIfAbsent(job.userId(), user -> new ArrayList<>())
          .add(candidate);
    }
    byUser.forEach(
        (lane, users) ->
            users.forEach(
                (user, own) -> {
                  own.sort(lane.users.ofOneUser(now));
                  lane.waiting.put(user, new ArrayDeque<>(own));
                }));
  }

  /** Nothing is left to take. */
  boolean isEmpty() {
    return first.waiting.isEmpty() && background.waiting.isEmpty();
  }

  /** Takes the next of those in the look, and charges it. */
  ReadyJob take(Instant now, double virtualTime) {
    Lane lane = next();
    ReadyJob job =
        lane.waiting.values().stream()
            .map(Deque::peekFirst)
            .min(lane.users.order(now))
            .orElseThrow()
            .job();
    remove(lane, job.userId());
    laneTime = lane.turns.start(laneTime);
    lane.turns.charge(job.costMs(), laneTime);
    lane.users.charge(job);
    turns.charge(job.costMs(), virtualTime);
    return job;
  }

  private Lane next() {
    if (first.waiting.isEmpty() || background.waiting.isEmpty()) {
      return first.waiting.isEmpty() ? background : first;
    }
    return background.turns.start(laneTime) < first.turns.start(laneTime) ? background : first;
  }

  private void remove(Lane lane, String user) {
    Deque<Candidate> jobs = lane.waiting.get(user);
    jobs.removeFirst();
    if (jobs.isEmpty()) {
      lane.waiting.remove(user);
    }
    if (rooms.merge(user, -1, Integer::sum) <= 0) {
      first.waiting.remove(user);
      background.waiting.remove(user);
    }
  }

  void refund(ReadyJob job) {
    turns.refund(job.costMs());
    lane(job).turns.refund(job.costMs());
    lane(job).users.refund(job);
  }
}
