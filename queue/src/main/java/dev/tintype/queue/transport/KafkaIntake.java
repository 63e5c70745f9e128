package dev.tintype.queue.transport;

import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.TierClass;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member of the share group. It holds one delivery at a time, because a share consumer may ask
 * for the next record only when it has said what became of the last: who polls meanwhile waits. A
 * worker holds a wake-up only for the few milliseconds in which it takes the job's lease, so this
 * costs nothing. The client is guarded by a lock; its heartbeats run on a thread of its own.
 */
final class KafkaIntake implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaIntake.class);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(3);

  /** The longest single poll, so that a close or an interrupt is heard soon. */
  private static final Duration SLICE = Duration.ofMillis(500);

  private final KafkaConfig config;
  private final String pool;
  private final Set<String> models;
  private final KafkaShareConsumer<byte[], byte[]> consumer;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition dealtWith = lock.newCondition();
  private final Deque<ConsumerRecord<byte[], byte[]>> fetched = new ArrayDeque<>();
  private KafkaDelivery current;
  private volatile boolean closed;

  KafkaIntake(KafkaConfig config, String pool, Set<String> models, List<String> topics) {
    this.config = config;
    this.pool = pool;
    this.models = models;
    Map<String, Object> settings = new HashMap<>(config.client());
    settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrap());
    settings.put(ConsumerConfig.GROUP_ID_CONFIG, config.group());
    settings.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, "explicit");
    // One record at a time and none in store: what is fetched is held, and others want it too.
    settings.put(ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG, "record_limit");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
    settings.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, (int) SLICE.toMillis());
    settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) config.deadline().toMillis());
    settings.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) config.deadline().toMillis());
    // A topic made a moment ago is seen soon.
    settings.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 10_000);
    settings.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
    this.consumer =
        new KafkaShareConsumer<>(
            settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(topics);
  }

  /** As {@link JobTransport#poll}; raises {@link KafkaException} where Kafka refuses. */
  Optional<Delivery> poll(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + Math.min(timeout.toNanos(), Long.MAX_VALUE / 4);
    while (!closed) {
      long left = Math.max(0, deadline - System.nanoTime());
      if (!lock.tryLock(left, java.util.concurrent.TimeUnit.NANOSECONDS)) {
        return Optional.empty();
      }
      try {
        left = Math.max(0, deadline - System.nanoTime());
        if (free(left)) {
          Optional<Delivery> next = next(Duration.ofNanos(Math.min(left, SLICE.toNanos())));
          if (next.isPresent()) {
            return next;
          }
        }
      } finally {
        lock.unlock();
      }
      if (System.nanoTime() >= deadline) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  /** Waits, without the lock, until the last delivery is dealt with or its hold is over. */
  private boolean free(long leftNanos) throws InterruptedException {
    while (current != null && !closed) {
      long hold = current.lapsesAt - System.nanoTime();
      if (hold <= 0) {
        settle(current, AcknowledgeType.RELEASE);
      } else if (leftNanos <= 0) {
        return false;
      } else {
        long slept = Math.min(hold, leftNanos);
        leftNanos -= slept - Math.max(0, dealtWith.awaitNanos(slept));
      }
    }
    return !closed;
  }

  private Optional<Delivery> next(Duration timeout) throws InterruptedException {
    try {
      if (fetched.isEmpty()) {
        consumer.poll(timeout).forEach(fetched::add);
      }
    } catch (WakeupException e) {
      return Optional.empty();
    } catch (InterruptException e) {
      Thread.interrupted();
      throw new InterruptedException();
    }
    while (!fetched.isEmpty()) {
      ConsumerRecord<byte[], byte[]> record = fetched.removeFirst();
      Optional<WakeUp> wakeUp = read(record);
      if (wakeUp.filter(found -> models.contains(found.model())).isPresent()) {
        current = new KafkaDelivery(record, wakeUp.get());
        return Optional.of(current);
      }
      // The broker puts it into the dead-letter topic.
      LOG.warn("A record of {} is no wake-up of ours; it is rejected", record.topic());
      consumer.acknowledge(record, AcknowledgeType.REJECT);
      consumer.commitAsync();
    }
    return Optional.empty();
  }

  static byte[] write(WakeUp wakeUp) {
    return (wakeUp.jobId().value() + " " + wakeUp.tierClass().wire() + " " + wakeUp.model())
        .getBytes(StandardCharsets.UTF_8);
  }

  /** The pool is told by the topic alone. */
  private Optional<WakeUp> read(ConsumerRecord<byte[], byte[]> record) {
    try {
      String[] parts = new String(record.value(), StandardCharsets.UTF_8).split(" ", 3);
      return Optional.of(
          new WakeUp(new JobId(parts[0]), parts[2], TierClass.ofWire(parts[1]), pool));
    } catch (RuntimeException e) {
      return Optional.empty();
    }
  }

  /** Says what became of it, if it is still the one that is held. */
  private void settle(KafkaDelivery delivery, AcknowledgeType how) {
    lock.lock();
    try {
      if (current != delivery) {
        return;
      }
      current = null;
      dealtWith.signalAll();
      if (!closed) {
        consumer.acknowledge(delivery.record, how);
        consumer.commitAsync();
      }
    } catch (KafkaException | IllegalStateException e) {
      // It comes again, and the store says that somebody has the job.
      LOG.debug("A wake-up could not be acknowledged", e);
    } finally {
      lock.unlock();
    }
  }

  /** After a renewal the client hands the record out again. */
  private boolean renew(KafkaDelivery delivery) {
    lock.lock();
    try {
      if (current != delivery || closed || delivery.lapsesAt <= System.nanoTime()) {
        return false;
      }
      consumer.acknowledge(delivery.record, AcknowledgeType.RENEW);
      boolean renewed =
          consumer.commitSync(config.deadline()).values().stream().allMatch(Optional::isEmpty);
      boolean back = false;
      long deadline = System.nanoTime() + config.deadline().toNanos();
      while (renewed && !back && System.nanoTime() < deadline) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(SLICE)) {
          if (record.topic().equals(delivery.record.topic())
              && record.offset() == delivery.record.offset()) {
            delivery.record = record;
            delivery.lapsesAt = System.nanoTime() + config.holdTime().toNanos();
            back = true;
          } else {
            // It may not wait here until this one is done.
            consumer.acknowledge(record, AcknowledgeType.RELEASE);
          }
        }
      }
      if (!back) {
        current = null;
        dealtWith.signalAll();
      }
      return back;
    } catch (KafkaException | IllegalStateException e) {
      LOG.debug("A wake-up could not be renewed", e);
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** The model of the wake-up that is held now. */
  Optional<String> held() {
    lock.lock();
    try {
      return Optional.ofNullable(current)
          .filter(delivery -> delivery.lapsesAt > System.nanoTime())
          .map(delivery -> delivery.wakeUp.model());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    closed = true;
    consumer.wakeup();
    lock.lock();
    try {
      dealtWith.signalAll();
      consumer.close(CLOSE_MAX);
    } catch (KafkaException e) {
      LOG.debug("The share consumer did not close cleanly", e);
    } finally {
      lock.unlock();
    }
  }

  private final class KafkaDelivery implements Delivery {
    private final WakeUp wakeUp;
    private final int count;
    private ConsumerRecord<byte[], byte[]> record;
    private long lapsesAt = System.nanoTime() + config.holdTime().toNanos();

    KafkaDelivery(ConsumerRecord<byte[], byte[]> record, WakeUp wakeUp) {
      this.record = record;
      this.wakeUp = wakeUp;
      this.count = record.deliveryCount().map(Short::intValue).orElse(1);
    }

    @Override
    public WakeUp wakeUp() {
      return wakeUp;
    }

    @Override
    public int deliveryCount() {
      return count;
    }

    @Override
    public void ack() {
      settle(this, AcknowledgeType.ACCEPT);
    }

    @Override
    public void release() {
      settle(this, AcknowledgeType.RELEASE);
    }

    @Override
    public boolean renew() {
      return KafkaIntake.this.renew(this);
    }
  }
}
