package dev.tintype.worker;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.EventFeed;
import dev.tintype.queue.store.EventHub;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.queue.store.Renewal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a job's lease alive and listens for its cancel, on a virtual thread of its own. The lease
 * is renewed at a third of its time, so that two heartbeats may fail before it lapses. A cancel is
 * heard from the event stream within milliseconds, and from the next heartbeat where the stream is
 * silent. That an urgent job wants its place is told by heartbeats alone.
 */
final class JobWatch implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(JobWatch.class);

  private static final long READ_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final RunningJob job;
  private final LeaseStore store;
  private final EventHub hub;
  private final Duration leaseTime;
  private final Runnable wakeLoop;
  private final Consumer<JobId> roomWanted;
  private final CountDownLatch ended = new CountDownLatch(1);
  private long renewedAt = System.nanoTime();
  private volatile EventFeed feed;

  /**
   * @param wakeLoop called after a reason to stop was set, so that an idle loop looks at it
   * @param roomWanted told of an urgent job that waits for the place of this one
   */
  JobWatch(
      RunningJob job,
      LeaseStore store,
      EventHub hub,
      Duration leaseTime,
      Runnable wakeLoop,
      Consumer<JobId> roomWanted) {
    this.job = job;
    this.store = store;
    this.hub = hub;
    this.leaseTime = leaseTime;
    this.wakeLoop = wakeLoop;
    this.roomWanted = roomWanted;
  }

  /** Ends the watch; thread-safe. */
  void end() {
    ended.countDown();
    EventFeed open = feed;
    if (open != null) {
      open.close();
    }
  }

  @Override
  public void run() {
    try (EventFeed events = follow()) {
      feed = events;
      while (ended.getCount() > 0 && job.stop() != RunningJob.Stop.LOST) {
        long wait = leaseTime.toNanos() / 3 - (System.nanoTime() - renewedAt);
        if (wait <= 0) {
          renew();
        } else {
          listen(events, wait);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Null where the hub has no room: heartbeats then tell of a cancel, later. */
  private EventFeed follow() {
    try {
      return hub.follow(job.lease().jobId(), job.lease().job().lastSeq());
    } catch (QueueException e) {
      LOG.warn("Job {}: events are not followed: {}", job.lease().jobId(), e.getMessage());
      return null;
    }
  }

  private void listen(EventFeed events, long waitNanos) throws InterruptedException {
    if (events == null || events.closed()) {
      if (ended.await(waitNanos, TimeUnit.NANOSECONDS)) {
        return;
      }
      return;
    }
    for (JobEvent event : next(events, waitNanos)) {
      switch (event.type()) {
        case CANCEL_REQUESTED -> stop(RunningJob.Stop.CANCEL);
        // Ended by somebody else, such as the deadline: nobody waits for these pictures.
        case EXPIRED, CANCELED, DEAD -> stop(RunningJob.Stop.LOST);
        case QUEUED, LEASED -> {
          if (event.attempt() > job.lease().attempt()) {
            stop(RunningJob.Stop.LOST);
          }
        }
        case STARTED, PROGRESS, PREVIEW, IMAGE, SUCCEEDED, FAILED -> {}
      }
    }
  }

  /**
   * Nothing where the log cannot be read now: the heartbeats must go on whatever the database does.
   */
  private List<JobEvent> next(EventFeed events, long waitNanos) throws InterruptedException {
    try {
      return events.next(Duration.ofNanos(waitNanos));
    } catch (QueueException e) {
      LOG.warn("Job {}: events not read: {}", job.lease().jobId(), e.getMessage());
      ended.await(Math.min(waitNanos, READ_AGAIN_NANOS), TimeUnit.NANOSECONDS);
      return List.of();
    }
  }

  private void renew() throws InterruptedException {
    long asked = System.nanoTime();
    Optional<Renewal> renewal = tryRenew();
    if (renewal.isPresent()) {
      renewedAt = asked;
      switch (renewal.get()) {
        case Renewal.Held(var until, boolean cancelRequested, Optional<JobId> roomFor) -> {
          if (cancelRequested) {
            stop(RunningJob.Stop.CANCEL);
          }
          roomFor.ifPresent(roomWanted);
        }
        case Renewal.Lost() -> stop(RunningJob.Stop.LOST);
      }
    } else if (asked - renewedAt > leaseTime.toNanos()) {
      // By our own clock the lease has lapsed: somebody else may be painting this already.
      stop(RunningJob.Stop.LOST);
    } else if (ended.await(leaseTime.toMillis() / 10, TimeUnit.MILLISECONDS)) {
      return;
    }
  }

  private Optional<Renewal> tryRenew() {
    try {
      return Optional.of(store.renew(job.lease(), leaseTime));
    } catch (QueueException e) {
      LOG.warn("Job {}: lease not renewed: {}", job.lease().jobId(), e.getMessage());
      return Optional.empty();
    }
  }

  private void stop(RunningJob.Stop reason) {
    job.stop(reason);
    wakeLoop.run();
  }
}
