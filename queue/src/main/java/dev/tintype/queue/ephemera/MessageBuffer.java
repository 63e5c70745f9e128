package dev.tintype.queue.ephemera;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A bounded buffer that loses the oldest: the subscriber's side of both implementations. */
final class MessageBuffer implements Subscription {
  private final Runnable onClose;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<byte[]> messages = new ArrayDeque<>();
  private long lost;
  private boolean closed;

  MessageBuffer(Runnable onClose) {
    this.onClose = onClose;
  }

  /** Returns at once. */
  void add(byte[] message) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      if (messages.size() == MESSAGES_MAX) {
        messages.removeFirst();
        lost++;
      }
      messages.addLast(message);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<byte[]> poll(Duration timeout) throws InterruptedException {
    long leftNanos = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (messages.isEmpty() && !closed && leftNanos > 0) {
        leftNanos = changed.awaitNanos(leftNanos);
      }
      return closed ? Optional.empty() : Optional.ofNullable(messages.pollFirst());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long lost() {
    lock.lock();
    try {
      return lost;
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
      messages.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    onClose.run();
  }
}
