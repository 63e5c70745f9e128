package dev.tintype.queue.transport;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * The transport of a process that has both relay and workers: one bounded list in the order of the
 * relay, over all topics. A wake-up whose holder goes silent comes to the front again after {@code
 * holdTime}. What is in it dies with the process; the claims in the store lapse or are cleared, and
 * the relay sends it anew.
 */
public final class InProcessTransport implements JobTransport {
  public static final int DEPTH_MAX = 10_000;

  private final String pool;
  private final int depthMax;
  private final Duration holdTime;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Deque<Entry> waiting = new ArrayDeque<>();
  private final Map<Long, Held> held = new TreeMap<>();
  private final List<Runnable> roomHearers = new CopyOnWriteArrayList<>();
  private long holds;
  private boolean closed;

  private record Entry(WakeUp wakeUp, int deliveries) {}

  private record Held(Entry entry, Instant until) {}

  /**
   * @param depthMax most wake-ups that wait, 1..{@link #DEPTH_MAX}
   * @param holdTime how long a consumer holds a wake-up without renewing, default 30 s
   */
  public InProcessTransport(int depthMax, Duration holdTime, Clock clock) {
    this(Tier.SHARED, depthMax, holdTime, clock);
  }

  /**
   * @param pool of those who poll; may be offered wake-ups of others, which nobody gets then
   */
  public InProcessTransport(String pool, int depthMax, Duration holdTime, Clock clock) {
    this.pool = pool;
    if (depthMax < 1 || depthMax > DEPTH_MAX || !holdTime.isPositive()) {
      throw new QueueException.Invalid(
          "transport.config", "depthMax is from 1 to " + DEPTH_MAX + ", holdTime is positive.");
    }
    this.depthMax = depthMax;
    this.holdTime = holdTime;
    this.clock = clock;
  }

  @Override
  public boolean offer(WakeUp wakeUp) {
    lock.lock();
    try {
      if (closed || waiting.size() >= depthMax) {
        return false;
      }
      waiting.addLast(new Entry(wakeUp, 0));
      arrived.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<Delivery> poll(Set<String> models, Duration timeout) throws InterruptedException {
    return poll(pool, models, timeout);
  }

  /** As the other, by a worker of that pool: for who plays workers of several. */
  public Optional<Delivery> poll(String pool, Set<String> models, Duration timeout)
      throws InterruptedException {
    if (models.isEmpty()) {
      throw new QueueException.Invalid(
          "transport.models", "A worker polls for at least one model.");
    }
    Optional<Delivery> delivery = await(wakeUp -> fits(wakeUp, pool, models), timeout);
    if (delivery.isPresent()) {
      roomHearers.forEach(Runnable::run);
    }
    return delivery;
  }

  private static boolean fits(WakeUp wakeUp, String pool, Set<String> models) {
    return wakeUp.pool().equals(pool) && models.contains(wakeUp.model());
  }

  private Optional<Delivery> await(Predicate<WakeUp> wanted, Duration timeout)
      throws InterruptedException {
    long leftNanos = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (!closed) {
        takeBackLapsed();
        Optional<Delivery> delivery = take(wanted);
        if (delivery.isPresent() || leftNanos <= 0) {
          return delivery;
        }
        long waitNanos = Math.min(leftNanos, untilNextLapseNanos());
        leftNanos -= waitNanos - arrived.awaitNanos(waitNanos);
      }
      return Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<Delivery> pollUrgent(Set<String> models) {
    Optional<Delivery> delivery;
    lock.lock();
    try {
      takeBackLapsed();
      delivery =
          closed
              ? Optional.empty()
              : take(
                  wakeUp -> fits(wakeUp, pool, models) && wakeUp.tierClass() == TierClass.PRIORITY);
    } finally {
      lock.unlock();
    }
    if (delivery.isPresent()) {
      roomHearers.forEach(Runnable::run);
    }
    return delivery;
  }

  private Optional<Delivery> take(Predicate<WakeUp> wanted) {
    for (Iterator<Entry> entries = waiting.iterator(); entries.hasNext(); ) {
      Entry entry = entries.next();
      if (wanted.test(entry.wakeUp())) {
        entries.remove();
        Entry delivered = new Entry(entry.wakeUp(), entry.deliveries() + 1);
        long hold = ++holds;
        held.put(hold, new Held(delivered, clock.instant().plus(holdTime)));
        return Optional.of(new InProcessDelivery(hold, delivered));
      }
    }
    return Optional.empty();
  }

  /** Oldest hold first in front, as they were before. */
  private void takeBackLapsed() {
    Instant now = clock.instant();
    List<Entry> lapsed = new ArrayList<>();
    held.values()
        .removeIf(
            hold -> {
              boolean late = !hold.until().isAfter(now);
              return late && lapsed.add(hold.entry());
            });
    lapsed.reversed().forEach(waiting::addFirst);
  }

  private long untilNextLapseNanos() {
    Instant now = clock.instant();
    return held.values().stream()
        .mapToLong(hold -> Math.max(1, Duration.between(now, hold.until()).toNanos()))
        .min()
        .orElse(Long.MAX_VALUE);
  }

  @Override
  public int depth() {
    lock.lock();
    try {
      takeBackLapsed();
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Map<String, Integer> depths(String pool, Set<String> models) {
    lock.lock();
    try {
      takeBackLapsed();
      Map<String, Integer> depths = new TreeMap<>();
      models.forEach(model -> depths.put(model, 0));
      waiting.stream()
          .map(Entry::wakeUp)
          .filter(wakeUp -> fits(wakeUp, pool, models))
          .forEach(wakeUp -> depths.merge(wakeUp.model(), 1, Integer::sum));
      return depths;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void onRoom(Runnable hearer) {
    roomHearers.add(hearer);
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private final class InProcessDelivery implements Delivery {
    private final long hold;
    private final Entry entry;

    InProcessDelivery(long hold, Entry entry) {
      this.hold = hold;
      this.entry = entry;
    }

    @Override
    public WakeUp wakeUp() {
      return entry.wakeUp();
    }

    @Override
    public int deliveryCount() {
      return entry.deliveries();
    }

    @Override
    public void ack() {
      lock.lock();
      try {
        held.remove(hold);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void release() {
      lock.lock();
      try {
        if (held.remove(hold) != null) {
          waiting.addFirst(entry);
          arrived.signalAll();
        }
      } finally {
        lock.unlock();
      }
    }

    @Override
    public boolean renew() {
      lock.lock();
      try {
        takeBackLapsed();
        return held.computeIfPresent(
                hold, (key, old) -> new Held(entry, clock.instant().plus(holdTime)))
            != null;
      } finally {
        lock.unlock();
      }
    }
  }
}
