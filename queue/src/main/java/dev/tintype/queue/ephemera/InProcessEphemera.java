package dev.tintype.queue.ephemera;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Ephemera of a process that is alone. Bounded in bytes and in entries; the least recently used is
 * pushed out first. One lock guards it all: every method is a few map operations.
 */
public final class InProcessEphemera implements Ephemera {
  public static final long BYTES_MAX_DEFAULT = 256L * 1024 * 1024;

  /** Most values, most counters, and most rates, each. */
  public static final int ENTRIES_MAX = 100_000;

  public static final int SUBSCRIPTIONS_MAX = 10_000;

  /** So often, in puts, what ran out and was never asked for again is cleared away. */
  private static final int SWEEP_PUTS = 1_000;

  private final long bytesMax;
  private final Clock clock;
  private final Map<String, Value> values = new LinkedHashMap<>(16, 0.75f, true);
  private final NavigableSet<String> names = new TreeSet<>();
  private final Map<String, Counter> counters = new LeastRecentlyUsed<>();
  private final Map<String, Double> rates = new LeastRecentlyUsed<>();
  private final Map<String, List<MessageBuffer>> topics = new HashMap<>();
  private long bytes;
  private int puts;
  private int subscriptions;
  private boolean closed;

  private record Value(byte[] bytes, Instant until) {}

  private record Counter(long value, Instant until) {}

  private static final class LeastRecentlyUsed<V> extends LinkedHashMap<String, V> {
    private static final long serialVersionUID = 1L;

    LeastRecentlyUsed() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
      return size() > ENTRIES_MAX;
    }
  }

  public InProcessEphemera(Clock clock) {
    this(BYTES_MAX_DEFAULT, clock);
  }

  /**
   * @param bytesMax most bytes of all values together; at least one value of the largest size
   */
  public InProcessEphemera(long bytesMax, Clock clock) {
    this.bytesMax = Math.max(bytesMax, VALUE_BYTES_MAX);
    this.clock = clock;
  }

  @Override
  public synchronized Optional<byte[]> get(String key) {
    Checks.key(key);
    checkOpen();
    return living(key).map(value -> value.bytes().clone());
  }

  @Override
  public synchronized void put(String key, byte[] value, Duration timeToLive) {
    Checks.key(key);
    Checks.value(value);
    Checks.timeToLive(timeToLive);
    checkOpen();
    forget(key);
    values.put(key, new Value(value.clone(), clock.instant().plus(timeToLive)));
    names.add(key);
    bytes += value.length;
    if (++puts % SWEEP_PUTS == 0) {
      sweep();
    }
    while (bytes > bytesMax || values.size() > ENTRIES_MAX) {
      forget(values.keySet().iterator().next());
    }
  }

  @Override
  public synchronized boolean putIfAbsent(String key, byte[] value, Duration timeToLive) {
    if (get(key).isPresent()) {
      return false;
    }
    put(key, value, timeToLive);
    return true;
  }

  @Override
  public synchronized boolean remove(String key) {
    Checks.key(key);
    checkOpen();
    boolean was = living(key).isPresent();
    forget(key);
    return was;
  }

  @Override
  public synchronized SortedMap<String, byte[]> list(String folder) {
    Checks.folder(folder);
    checkOpen();
    List<String> inside = new ArrayList<>();
    for (String key : names.tailSet(folder)) {
      if (!key.startsWith(folder) || inside.size() == LIST_MAX) {
        break;
      }
      if (Checks.folderOf(key).equals(folder)) {
        inside.add(key);
      }
    }
    SortedMap<String, byte[]> found = new TreeMap<>();
    for (String key : inside) {
      living(key).ifPresent(value -> found.put(key, value.bytes().clone()));
    }
    return found;
  }

  /** The value if its time is not over; else it is cleared away. */
  private Optional<Value> living(String key) {
    Value value = values.get(key);
    if (value != null && !value.until().isAfter(clock.instant())) {
      forget(key);
      return Optional.empty();
    }
    return Optional.ofNullable(value);
  }

  private void forget(String key) {
    Value old = values.remove(key);
    if (old != null) {
      bytes -= old.bytes().length;
      names.remove(key);
    }
  }

  private void sweep() {
    Instant now = clock.instant();
    for (Iterator<Map.Entry<String, Value>> all = values.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<String, Value> entry = all.next();
      if (!entry.getValue().until().isAfter(now)) {
        bytes -= entry.getValue().bytes().length;
        names.remove(entry.getKey());
        all.remove();
      }
    }
  }

  @Override
  public synchronized long add(String key, long amount, Duration timeToLive) {
    Checks.key(key);
    Checks.timeToLive(timeToLive);
    checkOpen();
    Instant now = clock.instant();
    Counter old = counters.get(key);
    Counter next =
        old == null || !old.until().isAfter(now)
            ? new Counter(amount, now.plus(timeToLive))
            : new Counter(Math.addExact(old.value(), amount), old.until());
    counters.put(key, next);
    return next.value();
  }

  @Override
  public boolean isLocal() {
    return true;
  }

  @Override
  public synchronized RateDecision take(String key, long cost, Rate rate) {
    Checks.key(key);
    Checks.cost(cost);
    checkOpen();
    Instant now = clock.instant();
    double nowMicros = now.getEpochSecond() * 1e6 + now.getNano() / 1_000;
    Gcra.Step step = Gcra.take(rates.getOrDefault(key, 0.0), nowMicros, cost, rate);
    if (step.decision().allowed()) {
      rates.put(key, step.nextDebtFree());
    }
    return step.decision();
  }

  @Override
  public void publish(String topic, byte[] message) {
    Checks.key(topic);
    Checks.message(message);
    List<MessageBuffer> hearers;
    synchronized (this) {
      checkOpen();
      hearers = List.copyOf(topics.getOrDefault(topic, List.of()));
    }
    hearers.forEach(hearer -> hearer.add(message.clone()));
  }

  @Override
  public synchronized Subscription subscribe(String topic) {
    Checks.key(topic);
    checkOpen();
    if (subscriptions == SUBSCRIPTIONS_MAX) {
      throw Checks.unavailable(
          "There are " + SUBSCRIPTIONS_MAX + " subscriptions already; try again later.", null);
    }
    MessageBuffer[] self = new MessageBuffer[1];
    self[0] = new MessageBuffer(() -> unsubscribe(topic, self[0]));
    topics.computeIfAbsent(topic, name -> new ArrayList<>()).add(self[0]);
    subscriptions++;
    return self[0];
  }

  private synchronized void unsubscribe(String topic, MessageBuffer hearer) {
    List<MessageBuffer> hearers = topics.get(topic);
    if (hearers != null && hearers.remove(hearer)) {
      subscriptions--;
      if (hearers.isEmpty()) {
        topics.remove(topic);
      }
    }
  }

  private void checkOpen() {
    if (closed) {
      throw Checks.unavailable("This node is stopping.", null);
    }
  }

  @Override
  public void close() {
    List<MessageBuffer> hearers;
    synchronized (this) {
      closed = true;
      hearers = topics.values().stream().flatMap(List::stream).toList();
    }
    hearers.forEach(MessageBuffer::close);
  }
}
