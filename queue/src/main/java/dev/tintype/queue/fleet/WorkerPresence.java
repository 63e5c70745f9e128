package dev.tintype.queue.fleet;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.job.Sha256;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in shared memory, with every heartbeat, that a worker is there and how it is. What it said
 * is forgotten after {@value #HEARTBEATS_KEPT} heartbeats of silence, and at once when it closes.
 * While the memory is away the worker works on.
 */
public final class WorkerPresence implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerPresence.class);

  /** Two words may get lost before a worker is taken for gone. */
  static final int HEARTBEATS_KEPT = 3;

  /** Where workers are in {@link Ephemera}. */
  static final String FOLDER = "workers/";

  private static final Duration CLOSE_MAX = Duration.ofSeconds(5);

  private final Ephemera ephemera;
  private final Supplier<WorkerStatus> status;
  private final String key;
  private final Duration heartbeat;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition woken = lock.newCondition();
  private final Thread thread = Thread.ofVirtual().name("worker-presence").unstarted(this::loop);
  private boolean news;
  private boolean closed;
  private boolean away;

  /**
   * @param workerId as in its statuses
   * @param status asked at every heartbeat, on a thread of this class
   * @param heartbeat between two words, from 10 ms to 10 minutes; a third of the lease time
   */
  public WorkerPresence(
      Ephemera ephemera, String workerId, Supplier<WorkerStatus> status, Duration heartbeat) {
    if (heartbeat.toMillis() < 10 || heartbeat.toMinutes() > 10) {
      throw new QueueException.Invalid("worker.heartbeat", "A heartbeat is 10 ms to 10 minutes.");
    }
    this.ephemera = ephemera;
    this.status = status;
    this.key = key(workerId);
    this.heartbeat = heartbeat;
  }

  /** Ids may have characters that keys have not. */
  private static String key(String workerId) {
    return FOLDER + Sha256.hex(workerId.getBytes(StandardCharsets.UTF_8)).substring(0, 32);
  }

  /** Says it now and with every heartbeat from then on. */
  public WorkerPresence start() {
    thread.start();
    return this;
  }

  /** Says it soon, because something has changed. Thread-safe, returns at once. */
  public void changed() {
    lock.lock();
    try {
      news = true;
      woken.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void loop() {
    try {
      do {
        say();
      } while (await());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean await() throws InterruptedException {
    long left = heartbeat.toNanos();
    lock.lockInterruptibly();
    try {
      while (!news && !closed && left > 0) {
        left = woken.awaitNanos(left);
      }
      news = false;
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void say() {
    try {
      ephemera.put(
          key, WorkerStatusJson.write(status.get()), heartbeat.multipliedBy(HEARTBEATS_KEPT));
      if (away) {
        LOG.info("The fleet hears of this worker again");
      }
      away = false;
    } catch (QueueException e) {
      if (!away) {
        LOG.warn("The fleet does not hear of this worker: {} {}", e.code(), e.getMessage());
      }
      away = true;
    } catch (RuntimeException e) {
      // A worker that cannot describe itself still paints.
      LOG.error("This worker's status cannot be said", e);
    }
  }

  /** Takes the worker out of the fleet; what it last said is forgotten now. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      woken.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      if (thread.isAlive()) {
        thread.join(CLOSE_MAX);
      }
      ephemera.remove(key);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (QueueException e) {
      LOG.debug("It is forgotten in {} heartbeats: {}", HEARTBEATS_KEPT, e.getMessage());
    }
  }
}
