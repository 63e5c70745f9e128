package dev.tintype.queue.store;

import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** One follower: its position in the log, and the channel that wakes it. */
final class ChannelFeed implements EventFeed {
  private final JobStore store;
  private final JobId jobId;
  private final Consumer<ChannelFeed> onClose;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition woken = lock.newCondition();
  private JobChannel channel;
  private long position;
  private boolean closed;

  ChannelFeed(JobStore store, JobId jobId, long position, Consumer<ChannelFeed> onClose) {
    this.store = store;
    this.jobId = jobId;
    this.position = position;
    this.onClose = onClose;
  }

  JobId jobId() {
    return jobId;
  }

  void join(JobChannel joined) {
    channel = joined;
    joined.addFeed(this);
  }

  void wake() {
    lock.lock();
    try {
      woken.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<JobEvent> next(Duration timeout) throws InterruptedException {
    long leftNanos = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (!closed) {
        if (channel.behind(position)) {
          List<JobEvent> old = store.events(jobId, position, EVENTS_MAX);
          if (!old.isEmpty()) {
            return advance(old);
          }
          // The log no longer has them; go on where it does.
          position = channel.start();
        }
        List<JobEvent> fresh = channel.after(position);
        if (!fresh.isEmpty() || leftNanos <= 0) {
          return advance(fresh);
        }
        leftNanos = woken.awaitNanos(leftNanos);
      }
      return List.of();
    } finally {
      lock.unlock();
    }
  }

  private List<JobEvent> advance(List<JobEvent> events) {
    if (!events.isEmpty()) {
      position = events.getLast().seq();
    }
    return events;
  }

  @Override
  public boolean closed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      woken.signalAll();
    } finally {
      lock.unlock();
    }
    onClose.accept(this);
  }
}
