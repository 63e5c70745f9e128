package dev.tintype.queue.relay;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.fleet.Workforce.Capacity;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.DispatchStore;
import dev.tintype.queue.store.Signals;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.transport.JobTransport;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
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
  private static final int REAP_MAX = 200;

  /** How often it asks for room; a heartbeat takes longer to tell it. */
  private static final Duration ASK_EVERY = Duration.ofSeconds(1);

  private static final Duration SWEEP_EVERY = Duration.ofMinutes(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);

  private final DispatchStore store;
  private final Supplier<List<Tier>> tiers;
  private final JobTransport transport;
  private final Function<String, OrderPolicy> policies;
  private final RelayConfig config;
  private final Workforce workforce;
  private final Clock clock;
  private final StoreTime storeTime;
  private final Map<String, PoolFeed> feeds = new TreeMap<>();
  private List<Tier> known;
  private Set<String> emptyPools = Set.of();
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
   * @param clock of this process, that nobody sets
   * @param tiers asked at once and then every minute, the slowest first
   * @param policies makes the order of a pool, by the pool's name; asked once for each
   * @param workforce who takes wake-ups out of the transport; jobs for models that it does not have
   *     stay queued, since their wake-ups would lie there, and once a minute the log tells of them
   */
  public Relay(
      DispatchStore store,
      Supplier<List<Tier>> tiers,
      JobTransport transport,
      Function<String, OrderPolicy> policies,
      RelayConfig config,
      Workforce workforce,
      Clock clock) {
    this.store = store;
    this.transport = transport;
    this.policies = policies;
    this.config = config;
    this.workforce = workforce;
    this.clock = clock;
    this.storeTime = new StoreTime(clock);
    this.tiers = tiers;
    learn(tiers.get());
  }

  private void learn(List<Tier> all) {
    known = List.copyOf(all);
    feeds.values().forEach(feed -> feed.learn(known));
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
      reapNotBefore = now.plus(reap() ? config.reapEvery() : config.reapGrace());
    }
    int sent = fill();
    if (!now.isBefore(askNotBefore)) {
      askNotBefore = now.plus(ASK_EVERY);
      feeds.values().forEach(feed -> feed.askForRoom(now));
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
    for (Tier tier : known) {
      more |= store.sweep(tier.name(), DispatchStore.ROWS_MAX) == DispatchStore.ROWS_MAX;
    }
    return more;
  }

  /** False where nothing was ended, so that the living renew their leases first. */
  private boolean reap() {
    Duration jump = storeTime.jump(store.now());
    if (!jump.isZero()) {
      LOG.warn("the database's clock was set {} s ahead", jump.toSeconds());
    }
    if (jump.isNegative()) {
      store.shortenWaits();
    } else if (jump.isPositive()) {
      return false;
    }
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
    return true;
  }

  /** Shared workers last: they have of a tier with a pool of its own what that has no room for. */
  private int fill() {
    Map<String, Capacity> pools = workforce.byPool();
    feeds.keySet().removeIf(pool -> !pool.equals(Tier.SHARED) && !pools.containsKey(pool));
    int sent = 0;
    for (String pool : sharedLast(pools.keySet())) {
      PoolFeed feed = feeds.computeIfAbsent(pool, this::feed);
      sent += feed.fill(pools.get(pool));
      if (feed.unfinished()) {
        wake();
      }
    }
    return sent;
  }

  private static List<String> sharedLast(Set<String> pools) {
    return pools.stream()
        .sorted(
            Comparator.comparing((String pool) -> pool.equals(Tier.SHARED))
                .thenComparing(pool -> pool))
        .toList();
  }

  private PoolFeed feed(String pool) {
    PoolFeed feed =
        new PoolFeed(pool, store, transport, policies.apply(pool), config, clock, storeTime);
    feed.learn(known);
    return feed;
  }

  private void tellUnserved() {
    Map<String, Capacity> pools = workforce.byPool();
    Set<String> served =
        pools.values().stream()
            .flatMap(pool -> pool.byModel().keySet().stream())
            .collect(Collectors.toUnmodifiableSet());
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
    Set<String> empty = new TreeSet<>();
    known.stream()
        .filter(tier -> !tier.spills() && !tier.home().equals(Tier.SHARED))
        .filter(tier -> !pools.containsKey(tier.home()))
        .forEach(tier -> empty.add(tier.home()));
    if (!empty.equals(emptyPools)) {
      emptyPools = empty;
      empty.forEach(
          pool ->
              LOG.warn(
                  "The pool {} has no worker, and tiers whose jobs go nowhere else: start one with"
                      + " worker.pool = {}",
                  pool,
                  pool));
    }
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
