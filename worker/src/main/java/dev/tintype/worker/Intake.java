package dev.tintype.worker;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.Delivery;
import dev.tintype.queue.transport.JobTransport;
import dev.tintype.queue.transport.WakeUp;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.EngineFault;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes wake-ups while the worker has room, finds engines for their models and leases their jobs.
 * When there is none it looks for urgent wake-ups alone, if a job may make room for one; and it
 * takes urgent jobs that wait in vain elsewhere, when a heartbeat tells of them ({@link
 * dev.tintype.queue.store.Renewal.Held#roomFor}).
 */
final class Intake {
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final long STORE_AWAY_PAUSE_MS = 1_000;

  /**
   * Urgent jobs that heartbeats told of and that were not looked at yet; they tell of them again.
   */
  private static final int WANTED_MAX = 16;

  /** Begins a job that is leased and started; from then on its place is its own. */
  @FunctionalInterface
  interface Taker {
    void run(Lease lease, TierClass tierClass, Engine engine);
  }

  private final WorkerConfig config;
  private final LeaseStore store;
  private final JobTransport transport;
  private final EngineLoader loader;
  private final Placement placement;
  private final Room room;
  private final CountDownLatch draining;
  private final BooleanSupplier mayMakeRoom;
  private final Taker taker;
  private final BlockingQueue<WakeUp> wanted = new ArrayBlockingQueue<>(WANTED_MAX);
  private Function<String, CompletableFuture<Engine>> engines;

  /**
   * @param room a place is taken for each job, and given back when it has ended
   * @param draining at zero nothing more is taken
   * @param mayMakeRoom whether a job in the making would end for an urgent one
   */
  Intake(
      WorkerConfig config,
      LeaseStore store,
      JobTransport transport,
      EngineLoader loader,
      Room room,
      CountDownLatch draining,
      BooleanSupplier mayMakeRoom,
      Taker taker) {
    this.config = config;
    this.store = store;
    this.transport = transport;
    this.loader = loader;
    this.placement = new Placement(transport, loader, POLL);
    this.room = room;
    this.draining = draining;
    this.mayMakeRoom = mayMakeRoom;
    this.taker = taker;
  }

  /**
   * Takes until the worker drains.
   *
   * @param engines loads a model, on the loop's thread
   */
  void run(Function<String, CompletableFuture<Engine>> engines) throws InterruptedException {
    this.engines = engines;
    while (draining.getCount() > 0) {
      takeWanted();
      if (room.tryAcquire(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
        takeJobOrRoom(placement::next);
      } else if (mayPreempt()) {
        room.borrow();
        takeJobOrRoom(() -> transport.pollUrgent(loader.resident()));
      }
    }
  }

  /** A running job of this worker is asked to make room for that one. From any thread. */
  void wanted(JobId urgent, String model) {
    wanted.offer(new WakeUp(urgent, model, TierClass.PRIORITY));
  }

  private void takeWanted() throws InterruptedException {
    for (WakeUp urgent = wanted.poll(); urgent != null; urgent = wanted.poll()) {
      Delivery delivery = new Wanted(urgent);
      if (!loader.resident().contains(urgent.model())) {
        continue; // The job that was asked has ended, and its model is gone.
      }
      if (room.tryAcquire()) {
        takeJobOrRoom(() -> Optional.of(delivery));
      } else if (mayPreempt()) {
        room.borrow();
        takeJobOrRoom(() -> Optional.of(delivery));
      }
    }
  }

  /** Held by nobody: its wake-up is on its way, too, and the lease goes to whoever asks first. */
  private record Wanted(WakeUp wakeUp) implements Delivery {
    @Override
    public int deliveryCount() {
      return 1;
    }

    @Override
    public void ack() {}

    @Override
    public void release() {}

    @Override
    public boolean renew() {
      return true;
    }
  }

  /** Where the next wake-up comes from. */
  private interface Source {
    Optional<Delivery> next() throws InterruptedException;
  }

  /** Full, but no more than full, and with a job that would make room for an urgent one. */
  private boolean mayPreempt() {
    return config.checkpointSteps() > 0
        && room.availablePermits() == 0
        && mayMakeRoom.getAsBoolean();
  }

  private void takeJobOrRoom(Source source) throws InterruptedException {
    if (!takeJobSafely(source)) {
      room.release();
    }
  }

  /** One strange job must not end the intake. */
  private boolean takeJobSafely(Source source) throws InterruptedException {
    try {
      return takeJob(source);
    } catch (RuntimeException e) {
      LOG.error("A job could not be taken", e);
      draining.await(STORE_AWAY_PAUSE_MS, TimeUnit.MILLISECONDS);
      return false;
    }
  }

  /** True where a job was handed to the loop, which then owns the permit. */
  private boolean takeJob(Source source) throws InterruptedException {
    Optional<Delivery> delivery = source.next();
    if (delivery.isEmpty()) {
      return false;
    }
    try {
      Optional<Engine> engine = place(delivery.get());
      if (engine.isEmpty()) {
        return false;
      }
      Optional<Lease> lease =
          store.lease(delivery.get().wakeUp().jobId(), config.workerId(), config.leaseTime());
      boolean mine = lease.isPresent() && store.start(lease.get());
      delivery.get().ack();
      lease
          .filter(l -> mine)
          .ifPresent(l -> taker.run(l, delivery.get().wakeUp().tierClass(), engine.get()));
      return mine;
    } catch (QueueException.Unavailable e) {
      LOG.warn("Job not taken: {}", e.getMessage());
      delivery.get().release();
      draining.await(STORE_AWAY_PAUSE_MS, TimeUnit.MILLISECONDS);
      return false;
    } catch (QueueException e) {
      // It would fail again at once, at the head of the line; its claim lapses by itself.
      LOG.error("Job {} cannot be taken: {}", delivery.get().wakeUp().jobId(), e.getMessage());
      delivery.get().ack();
      return false;
    }
  }

  /** Empty where the job is dealt with: its model cannot be had here, or this worker ends. */
  private Optional<Engine> place(Delivery delivery) throws InterruptedException {
    try {
      Optional<Engine> engine = placement.engine(delivery, engines, () -> draining.getCount() == 0);
      if (engine.isEmpty()) {
        delivery.release();
      }
      return engine;
    } catch (RuntimeException e) {
      JobFailure failure = EngineFault.failure(e);
      LOG.warn("Job {}: {}", delivery.wakeUp().jobId(), failure.message(), e);
      store
          .lease(delivery.wakeUp().jobId(), config.workerId(), config.leaseTime())
          .filter(store::start)
          .ifPresent(lease -> store.fail(lease, failure));
      delivery.ack();
      return Optional.empty();
    }
  }
}
