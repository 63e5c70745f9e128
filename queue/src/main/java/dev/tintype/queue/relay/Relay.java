package dev.tintype.queue.relay;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.fleet.Workforce.Capacity;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.store.DispatchStore;
import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.ReadyPage;
import dev.tintype.queue.store.Signals;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.JobTransport;
import dev.tintype.queue.transport.WakeUp;
import java.time.Clock;
import java.time.Duration;
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
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves wake-ups from the store to the transport, just in time: it keeps about twice as many there
 * as the workers can hold, in all and of each model, and decides the order of the rest as late as
 * it can. It also reaps lapsed leases and expires deadlines, and asks for room for urgent jobs that
 * find all workers full. It works on a signal, or after {@link RelayConfig#poll()}; several may
 * run.
 */
public final class Relay implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
  private static final int PER_USER_MAX = 32;
  private static final int REAP_MAX = 200;

  /** Each look at the queue closes a model's room, so a few are enough; the next round goes on. */
  private static final int LOOKS_MAX = 4;

  /** How often it asks for room; a heartbeat takes longer to tell it. */
  private static final Duration ASK_EVERY = Duration.ofSeconds(1);

  private static final Duration SWEEP_EVERY = Duration.ofMinutes(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);

  private final DispatchStore store;
  private final Supplier<List<Tier>> tiers;
  private final JobTransport transport;
  private final OrderPolicy policy;
  private final RelayConfig config;
  private final Workforce workforce;
  private final Clock clock;
  private final Map<String, TierClass> lanes = new LinkedHashMap<>();

  /** Where the walk over a tier's users goes on, if it did not fit into one page. */
  private final Map<String, Optional<String>> cursors = new HashMap<>();

  private final UrgentSent urgent = new UrgentSent();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition signalled = lock.newCondition();
  private boolean signal = true;
  private boolean closed;
  private Instant reapNotBefore = Instant.MIN;
  private Instant askNotBefore = Instant.MIN;
  private Instant sweepNotBefore = Instant.MIN;
  private final Thread thread = Thread.ofVirtual().name("tintype-relay").unstarted(this::loop);

  /**
   * A relay that does nothing by itself yet: see {@link #start} and {@link #tick}.
   *
   * @param tiers asked at once and then every minute, the slowest first
   * @param workforce who takes wake-ups out of the transport; jobs for models that it does not have
   *     stay queued, since their wake-ups would lie there, and once a minute the log tells of them
   */
  public Relay(
      DispatchStore store,
      Supplier<List<Tier>> tiers,
      JobTransport transport,
      OrderPolicy policy,
      RelayConfig config,
      Workforce workforce,
      Clock clock) {
    this.store = store;
    this.transport = transport;
    this.policy = policy;
    this.config = config;
    this.workforce = workforce;
    this.clock = clock;
    this.tiers = tiers;
    learn(tiers.get());
  }

  private void learn(List<Tier> all) {
    lanes.clear();
    all.forEach(tier -> lanes.put(tier.name(), tier.tierClass()));
    policy.tiers(all);
  }

  /** Starts the relay's thread. Close it before the transport and the store. */
  public Relay start(Signals signals) {
    signals.listen(new Hearer());
    transport.onRoom(this::wake);
    thread.start();
    return this;
  }

  private void loop() {
    try {
      while (await()) {
        tickSafely();
      }
    } catch (InterruptedException e) {
      LOG.debug("relay ends");
    }
  }

  private void tickSafely() {
    try {
      tick();
    } catch (QueueException.Unavailable e) {
      if (e.code().startsWith("transport.")) {
        // The transport tells it itself. The store is there, and so were the workers' renewals.
        LOG.debug("relay waits: {} {}", e.code(), e.getMessage());
        return;
      }
      LOG.warn("relay waits: {} {}", e.code(), e.getMessage());
      reapNotBefore = clock.instant().plus(config.reapGrace());
    } catch (RuntimeException e) {
      // One strange row must not stop the queue for everybody.
      LOG.error("relay: this round failed, going on", e);
    }
  }

  /** Waits for a signal or the poll's time; false when closed. */
  private boolean await() throws InterruptedException {
    long leftNanos = config.poll().toNanos();
    lock.lockInterruptibly();
    try {
      while (!signal && !closed && leftNanos > 0) {
        leftNanos = signalled.awaitNanos(leftNanos);
      }
      signal = false;
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void wake() {
    lock.lock();
    try {
      signal = true;
      signalled.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * One round: clear away what lapsed, fill the transport, ask for room, then delete what is old.
   * Returns how many wake-ups were sent.
   */
  public int tick() {
    Instant now = clock.instant();
    if (!now.isBefore(reapNotBefore)) {
      reapNotBefore = now.plus(config.reapEvery());
      reap();
    }
    int sent = fill();
    if (!now.isBefore(askNotBefore)) {
      askNotBefore = now.plus(ASK_EVERY);
      askForRoom(now);
    }
    if (!now.isBefore(sweepNotBefore)) {
      // A full batch means that there is more: the next round goes on.
      sweepNotBefore = sweep() ? now : now.plus(SWEEP_EVERY);
      learn(tiers.get());
      tellUnserved();
    }
    return sent;
  }

  /** True where a batch was full. */
  private boolean sweep() {
    boolean more = store.forgetKeys(DispatchStore.ROWS_MAX) == DispatchStore.ROWS_MAX;
    for (String tier : lanes.keySet()) {
      more |= store.sweep(tier, DispatchStore.ROWS_MAX) == DispatchStore.ROWS_MAX;
    }
    return more;
  }

  private void reap() {
    store
        .reapLapsed(REAP_MAX)
        .forEach(
            job ->
                LOG.warn(
                    "job {}: its worker {} went silent; now {}",
                    job.id(),
                    job.worker().orElse("?"),
                    job.state().wire()));
    store.expireDue(REAP_MAX);
  }

  private void askForRoom(Instant now) {
    List<JobId> overdue = urgent.overdue(now);
    if (overdue.isEmpty()) {
      return;
    }
    Set<String> relaxed =
        lanes.entrySet().stream()
            .filter(lane -> lane.getValue() == TierClass.RELAXED)
            .map(Map.Entry::getKey)
            .collect(Collectors.toUnmodifiableSet());
    Set<JobId> taken = new HashSet<>(overdue);
    taken.removeAll(store.askForRoom(overdue, relaxed));
    urgent.taken(taken);
  }

  private int fill() {
    Capacity capacity = workforce.capacity();
    if (capacity.byModel().isEmpty()) {
      return 0;
    }
    Rooms rooms =
        new Rooms(capacity, transport.depths(capacity.byModel().keySet()), config.depthMin());
    int sent = 0;
    boolean more = rooms.total() > 0;
    for (int look = 0; more && look < LOOKS_MAX; look++) {
      int room = rooms.total();
      List<ReadyJob> chosen =
          policy.take(heads(rooms.models(), Math.min(room, PER_USER_MAX)), room, clock.instant());
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
    if (more || rooms.total() > 0 && usersLeft) {
      // Models have room that others took the turns of, or there are more users than fit on a page.
      wake();
    }
    return sent;
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

  private void tellUnserved() {
    Set<String> served = workforce.capacity().byModel().keySet();
    store
        .queuedByModel()
        .forEach(
            (model, jobs) -> {
              if (!served.contains(model)) {
                LOG.warn(
                    "{} jobs wait for the model {}, which no worker takes jobs for: start one with"
                        + " it",
                    jobs,
                    model);
              }
            });
  }

  private WakeUp wakeUp(ReadyJob job) {
    // Mode relax takes what others leave: a worker must not make room for it.
    TierClass lane = job.mode() == JobMode.RELAX ? TierClass.RELAXED : lanes.get(job.tier());
    return new WakeUp(job.id(), job.model(), lane);
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

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      signalled.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      if (thread.isAlive()) {
        thread.join(CLOSE_TIMEOUT);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Hearer implements Signals.Listener {
    @Override
    public void jobsChanged(Collection<JobId> ids) {}

    @Override
    public void workReady() {
      wake();
    }

    @Override
    public void reset() {
      wake();
    }
  }
}
