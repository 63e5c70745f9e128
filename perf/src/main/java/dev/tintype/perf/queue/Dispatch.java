package dev.tintype.perf.queue;

import dev.tintype.node.NodeException;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.relay.FairPolicy;
import dev.tintype.queue.relay.Relay;
import dev.tintype.queue.relay.RelayConfig;
import dev.tintype.queue.store.AccountStore;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.PostgresJobStore;
import dev.tintype.queue.store.Signals;
import dev.tintype.queue.transport.Delivery;
import dev.tintype.queue.transport.InProcessTransport;
import dev.tintype.queue.transport.JobTransport;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** From the commit of a job to a worker's lease, through the real relay and transport. */
final class Dispatch {
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final Duration PATIENCE = Duration.ofMillis(200);
  private static final int PATIENCE_S = 30;
  private static final int WARM_UPS = 200;

  private static final List<ImageRecord> IMAGES =
      List.of(new ImageRecord(0, "a".repeat(64), 256, 256, 1, 1, Optional.empty()));

  private final PostgresJobStore store;
  private final AccountStore accounts;
  private final Signals signals;
  private final Set<String> models;

  Dispatch(PostgresJobStore store, AccountStore accounts, Signals signals, String model) {
    this.store = store;
    this.accounts = accounts;
    this.signals = signals;
    this.models = Set.of(model);
  }

  private Relay relay(JobTransport transport, int slots) {
    return new Relay(
            store,
            accounts::tiers,
            transport,
            pool -> new FairPolicy(accounts.tiers(), new Random(1)),
            RelayConfig.DEFAULT,
            Workforce.of(models, () -> slots),
            Clock.systemUTC())
        .start(signals);
  }

  /**
   * One job at a time, with nothing else in the queue.
   *
   * @param submit accepts a job and returns when it is committed
   */
  Load alone(Duration time, Runnable submit) throws InterruptedException {
    SynchronousQueue<Long> leased = new SynchronousQueue<>();
    try (JobTransport transport = new InProcessTransport(256, LEASE, Clock.systemUTC());
        Relay relay = relay(transport, 8);
        ExecutorService thread = Executors.newSingleThreadExecutor()) {
      Future<Void> worker = thread.submit(() -> work(transport, leased));
      long[] times = new long[1024];
      int count = 0;
      long start = System.nanoTime();
      long warm = start;
      for (int i = 0; System.nanoTime() - warm < time.toNanos(); i++) {
        submit.run();
        long committed = System.nanoTime();
        Long at = leased.poll(PATIENCE_S, TimeUnit.SECONDS);
        if (at == null) {
          worker.cancel(true);
          throw new NodeException.Start("bench.lost", "A job was not taken in 30 s.");
        }
        if (i < WARM_UPS) {
          warm = System.nanoTime();
          continue;
        }
        if (count == times.length) {
          times = Arrays.copyOf(times, 2 * count);
        }
        // The worker may have it before the client's thread runs again.
        times[count++] = Math.max(0, at - committed);
      }
      double seconds = (System.nanoTime() - warm) / 1e9;
      thread.shutdownNow();
      return Load.of(Arrays.stream(times, 0, count).sorted().toArray(), seconds);
    }
  }

  private Void work(JobTransport transport, SynchronousQueue<Long> leased)
      throws InterruptedException {
    while (true) {
      Optional<Delivery> delivery = transport.poll(models, PATIENCE);
      if (delivery.isPresent()) {
        Optional<Lease> lease = store.lease(delivery.get().wakeUp().jobId(), "bench", LEASE);
        long at = System.nanoTime();
        delivery.get().ack();
        if (lease.isPresent()) {
          store.start(lease.get());
          store.finish(lease.get(), IMAGES);
          leased.put(at);
        }
      }
    }
  }

  /** Workers that take, begin and end what waits, as fast as they can. */
  Load drain(int workers, Duration time) throws InterruptedException {
    AtomicInteger idle = new AtomicInteger();
    try (JobTransport transport =
            new InProcessTransport(InProcessTransport.DEPTH_MAX, LEASE, Clock.systemUTC());
        Relay relay = relay(transport, 8 * workers)) {
      return Load.run(
          workers,
          time,
          worker -> number -> idle.addAndGet(takeOne(transport, "bench-" + worker) ? 0 : 1));
    }
  }

  private boolean takeOne(JobTransport transport, String worker) throws InterruptedException {
    for (int tries = 0; tries < 10 * PATIENCE_S; tries++) {
      Optional<Delivery> delivery = transport.poll(models, PATIENCE);
      if (delivery.isPresent()) {
        Optional<Lease> lease = store.lease(delivery.get().wakeUp().jobId(), worker, LEASE);
        delivery.get().ack();
        if (lease.isPresent()) {
          store.start(lease.get());
          return store.finish(lease.get(), IMAGES);
        }
      }
    }
    throw new NodeException.Start("bench.lost", "No job came in a minute.");
  }
}
