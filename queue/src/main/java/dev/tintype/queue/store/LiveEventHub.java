package dev.tintype.queue.store;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Live events out of the store's log. A signal marks a followed job; one thread reads the new
 * events of all marked jobs in one query and hands them to the {@link JobChannel} of each. The log
 * stays the only truth: a follower that falls behind its channel's buffer reads the log itself, so
 * that buffers are small and nothing is lost.
 */
public final class LiveEventHub implements EventHub {
  private static final Logger LOG = LoggerFactory.getLogger(LiveEventHub.class);

  /** Followed jobs are looked at this often even without a signal. */
  private static final long POLL_MS = 2_000;

  private static final long RETRY_MS = 500;
  private static final int JOBS_PER_READ_MAX = 500;
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final JobStore store;
  private final ConcurrentMap<JobId, JobChannel> channels = new ConcurrentHashMap<>();
  private final AtomicInteger followers = new AtomicInteger();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition marked = lock.newCondition();
  private final Set<JobId> dirty = new LinkedHashSet<>();
  private boolean closed;
  private final Thread pump;

  private LiveEventHub(JobStore store) {
    this.store = store;
    this.pump = Thread.ofVirtual().name("tintype-events").unstarted(this::pumpLoop);
  }

  /** Starts to listen. Close it before the store and the signals. */
  public static LiveEventHub start(JobStore store, Signals signals) {
    LiveEventHub hub = new LiveEventHub(store);
    signals.listen(hub.new Hearer());
    hub.pump.start();
    return hub;
  }

  @Override
  public EventFeed follow(JobId id, long afterSeq) {
    if (followers.incrementAndGet() > FOLLOWERS_MAX) {
      followers.decrementAndGet();
      throw new QueueException.Unavailable(
          "events.too_many",
          "Too many clients follow jobs on this server; poll the job instead, or come back later.",
          null);
    }
    ChannelFeed feed;
    try {
      // A position beyond the log (a made-up Last-Event-ID) is its end.
      long last = store.get(id).map(Job::lastSeq).orElse(0L);
      long position = Math.clamp(afterSeq, 0, last);
      feed = new ChannelFeed(store, id, position, this::leave);
      channels.compute(
          id,
          (key, channel) -> {
            JobChannel joined = channel == null ? new JobChannel(position) : channel;
            feed.join(joined);
            return joined;
          });
    } catch (RuntimeException e) {
      followers.decrementAndGet();
      throw e;
    }
    mark(List.of(id));
    if (isClosed()) {
      feed.close();
    }
    return feed;
  }

  private void leave(ChannelFeed feed) {
    followers.decrementAndGet();
    channels.computeIfPresent(feed.jobId(), (id, channel) -> channel.remove(feed) ? channel : null);
  }

  private void mark(Collection<JobId> ids) {
    lock.lock();
    try {
      if (dirty.addAll(ids)) {
        marked.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  private void pumpLoop() {
    try {
      while (!isClosed()) {
        pumpOnce(nextBatch(POLL_MS));
      }
    } catch (InterruptedException e) {
      LOG.debug("event hub ends");
    }
  }

  private void pumpOnce(Set<JobId> batch) throws InterruptedException {
    Map<JobId, Long> positions = new HashMap<>();
    for (JobId id : batch) {
      JobChannel channel = channels.get(id);
      if (channel != null) {
        positions.put(id, channel.loaded());
      }
    }
    if (positions.isEmpty()) {
      return;
    }
    try {
      Map<JobId, List<JobEvent>> fresh =
          store.events(positions, EventFeed.EVENTS_MAX).stream()
              .collect(Collectors.groupingBy(JobEvent::jobId));
      fresh.forEach(this::deliver);
    } catch (QueueException e) {
      LOG.debug("events wait: {}", e.code());
      nextBatch(RETRY_MS);
      mark(batch);
    }
  }

  private void deliver(JobId id, List<JobEvent> events) {
    JobChannel channel = channels.get(id);
    if (channel != null) {
      channel.add(events);
    }
    if (events.size() == EventFeed.EVENTS_MAX) {
      mark(List.of(id));
    }
  }

  /** Marked jobs; after a silence of {@code timeoutMs} all that are followed. */
  private Set<JobId> nextBatch(long timeoutMs) throws InterruptedException {
    long leftNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    lock.lockInterruptibly();
    try {
      while (!closed && dirty.isEmpty() && leftNanos > 0) {
        leftNanos = marked.awaitNanos(leftNanos);
      }
      if (dirty.isEmpty()) {
        dirty.addAll(channels.keySet());
      }
      Set<JobId> batch = dirty.stream().limit(JOBS_PER_READ_MAX).collect(Collectors.toSet());
      dirty.removeAll(batch);
      return batch;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      marked.signalAll();
    } finally {
      lock.unlock();
    }
    channels.values().forEach(JobChannel::close);
    try {
      pump.join(CLOSE_TIMEOUT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Hearer implements Signals.Listener {
    @Override
    public void jobsChanged(Collection<JobId> ids) {
      List<JobId> followed = ids.stream().filter(channels::containsKey).toList();
      if (!followed.isEmpty()) {
        mark(followed);
      }
    }

    @Override
    public void workReady() {}

    @Override
    public void reset() {
      mark(channels.keySet());
    }
  }
}
