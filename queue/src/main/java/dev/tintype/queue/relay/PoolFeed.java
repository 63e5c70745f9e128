package dev.tintype.queue.relay;

import dev.tintype.queue.fleet.Workforce.Capacity;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.store.DispatchStore;
import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.ReadyPage;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.JobTransport;
import dev.tintype.queue.transport.WakeUp;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a relay keeps of one pool of workers: the order among the tiers that may use it, and how far
 * it has looked. Pools know nothing of one another; a job that two may have goes to the one that
 * claims it first. For the relay's thread.
 */
final class PoolFeed {
  private static final int PER_USER_MAX = 32;

  /** Each look at the queue closes a model's room, so a few are enough; the next round goes on. */
  private static final int LOOKS_MAX = 4;

  private final String pool;
  private final DispatchStore store;
  private final JobTransport transport;
  private final OrderPolicy policy;
  private final RelayConfig config;
  private final Clock clock;
  private final StoreTime storeTime;

  /** Of the tiers that may use the pool. */
  private final Map<String, TierClass> lanes = new LinkedHashMap<>();

  /** Tiers whose jobs run nowhere else: only these can be asked to make room here. */
  private Set<String> only = Set.of();

  /** Where the walk over a tier's users goes on, if it did not fit into one page. */
  private final Map<String, Optional<String>> cursors = new HashMap<>();

  private final UrgentSent urgent = new UrgentSent();
  private boolean unfinished;

  PoolFeed(
      String pool,
      DispatchStore store,
      JobTransport transport,
      OrderPolicy policy,
      RelayConfig config,
      Clock clock,
      StoreTime storeTime) {
    this.pool = pool;
    this.store = store;
    this.transport = transport;
    this.policy = policy;
    this.config = config;
    this.clock = clock;
    this.storeTime = storeTime;
  }

  /** The tiers of the platform as they are now, the slowest first. */
  void learn(List<Tier> all) {
    List<Tier> ours = Tier.ofPool(all, pool);
    lanes.clear();
    ours.forEach(tier -> lanes.put(tier.name(), tier.tierClass()));
    only =
        ours.stream()
            .filter(tier -> !tier.spills())
            .map(Tier::name)
            .collect(Collectors.toUnmodifiableSet());
    cursors.keySet().retainAll(lanes.keySet());
    if (!ours.isEmpty()) {
      policy.tiers(ours);
    }
  }

  /** Fills the transport; returns how many wake-ups were sent. */
  int fill(Capacity capacity) {
    unfinished = false;
    if (lanes.isEmpty() || capacity.byModel().isEmpty()) {
      return 0;
    }
    Rooms rooms =
        new Rooms(capacity, transport.depths(pool, capacity.byModel().keySet()), config.depthMin());
    int sent = 0;
    boolean more = rooms.total() > 0;
    for (int look = 0; more && look < LOOKS_MAX; look++) {
      int room = rooms.total();
      List<ReadyJob> chosen =
          policy.take(heads(rooms.models(), Math.min(room, PER_USER_MAX)), room, storeTime.now());
      List<ReadyJob> fitting = new ArrayList<>();
      for (ReadyJob job : chosen) {
        if (rooms.take(job.model())) {
          fitting.add(job);
        } else {
          policy.refund(job);
        }
      }
      sent += send(fitting);
      more = fitting.size() < chosen.size() && rooms.total() > 0;
    }
    boolean usersLeft = cursors.values().stream().anyMatch(Optional::isPresent);
    unfinished = more || rooms.total() > 0 && usersLeft;
    return sent;
  }

  /**
   * After a fill: models have room that others took the turns of, or there are more users than fit
   * on a page.
   */
  boolean unfinished() {
    return unfinished;
  }

  private int send(List<ReadyJob> jobs) {
    Set<JobId> claimed =
        new HashSet<>(store.claim(jobs.stream().map(ReadyJob::id).toList(), config.claimTime()));
    List<JobId> unsent = new ArrayList<>();
    int sent = 0;
    for (ReadyJob job : jobs) {
      WakeUp wakeUp = wakeUp(job);
      if (claimed.contains(job.id()) && unsent.isEmpty() && transport.offer(wakeUp)) {
        sent++;
        if (wakeUp.tierClass() == TierClass.PRIORITY) {
          urgent.sent(job.id(), clock.instant());
        }
      } else {
        policy.refund(job);
        if (claimed.contains(job.id())) {
          unsent.add(job.id());
        }
      }
    }
    store.unclaim(unsent);
    return sent;
  }

  private WakeUp wakeUp(ReadyJob job) {
    // Mode relax takes what others leave: a worker must not make room for it.
    TierClass lane = job.mode() == JobMode.RELAX ? TierClass.RELAXED : lanes.get(job.tier());
    return new WakeUp(job.id(), job.model(), lane, pool);
  }

  private Collection<ReadyJob> heads(Set<String> models, int perUser) {
    List<ReadyJob> heads = new ArrayList<>();
    for (String tier : lanes.keySet()) {
      ReadyPage page =
          store.ready(
              tier,
              models,
              cursors.getOrDefault(tier, Optional.empty()),
              DispatchStore.ROWS_MAX,
              perUser);
      cursors.put(tier, page.next());
      heads.addAll(page.jobs());
    }
    return heads;
  }

  /** For urgent jobs that find all workers of the pool full. */
  void askForRoom(Instant now) {
    List<JobId> overdue = urgent.overdue(now);
    if (overdue.isEmpty()) {
      return;
    }
    Set<String> relaxed =
        only.stream()
            .filter(tier -> lanes.get(tier) == TierClass.RELAXED)
            .collect(Collectors.toUnmodifiableSet());
    Set<JobId> taken = new HashSet<>(overdue);
    taken.removeAll(store.askForRoom(overdue, only, relaxed));
    urgent.taken(taken);
  }
}
