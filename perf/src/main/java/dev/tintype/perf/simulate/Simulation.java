package dev.tintype.perf.simulate;

import dev.tintype.perf.simulate.VirtualGpu.Condition;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.fleet.Workforce.Capacity;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.relay.Admission;
import dev.tintype.queue.relay.FairPolicy;
import dev.tintype.queue.relay.OrderPolicy;
import dev.tintype.queue.relay.Relay;
import dev.tintype.queue.relay.RelayConfig;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.Renewal;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.transport.Delivery;
import dev.tintype.queue.transport.InProcessTransport;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.DoubleConsumer;

/** One history: events in the order of their times, until all that was accepted has ended. */
final class Simulation {
  private static final long TICK_MS = 250;
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final long RENEW_MS = 5_000;
  private static final long REPAIR_MS_MAX = 10 * 60_000;

  /** Longer than a lease: the worker that wakes finds its job taken. */
  private static final long SLEEP_MS_MAX = 60_000;

  private static final long DRAIN_MS_MAX = 24 * 3_600_000L;
  private static final Set<String> MODELS = Set.of(Arrivals.MODEL, Arrivals.SLOW_MODEL);

  private static final List<ImageRecord> PICTURE =
      List.of(new ImageRecord(0, "0".repeat(64), 512, 512, 0, 1, Optional.empty()));

  private record Event(long atMs, long order, Runnable what) {}

  private final Scenario scenario;
  private final VirtualClock clock = new VirtualClock();
  private final SplittableRandom random;
  private final Arrivals arrivals;
  private final VirtualStore store;
  private final InProcessTransport transport;
  private final Relay relay;
  private final Admission admission;
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::atMs).thenComparingLong(Event::order));
  private final List<VirtualGpu> gpus = new ArrayList<>();
  private final Map<String, Deque<VirtualGpu>> idle = new TreeMap<>();
  private final Tally tally;
  private long eventCount;
  private long open;
  private final Map<String, Integer> well;

  /** As many of all as there were of the pool that had the fewest. */
  private int wellMin;

  Simulation(Scenario scenario) {
    this.scenario = scenario;
    this.random = new SplittableRandom(scenario.seed());
    this.arrivals = new Arrivals(scenario, random.split());
    this.store = new VirtualStore(clock, random.split());
    this.transport =
        new InProcessTransport(InProcessTransport.DEPTH_MAX, Duration.ofSeconds(30), clock);
    this.admission = new Admission(scenario.tiers(), Scenario.RESERVE);
    this.well = new TreeMap<>(scenario.gpusByPool());
    long skew = scenario.faults().skewMs();
    OrderPolicy shared = policy();
    this.relay =
        new Relay(
            store,
            scenario::tiers,
            transport,
            pool -> pool.equals(Tier.SHARED) ? shared : policy(),
            RelayConfig.DEFAULT,
            this::capacities,
            clock.skewed(skew == 0 ? 0 : random.nextLong(-skew, skew + 1)));
    this.tally = new Tally(scenario);
    scenario
        .gpusByPool()
        .forEach(
            (pool, count) -> {
              idle.put(pool, new ArrayDeque<>());
              for (int i = 0; i < count; i++) {
                VirtualGpu gpu = new VirtualGpu(gpus.size(), pool);
                gpus.add(gpu);
                idle.get(pool).add(gpu);
                planTrouble(gpu);
              }
            });
    wellMin = scenario.gpus();
  }

  private Map<String, Capacity> capacities() {
    Map<String, Capacity> pools = new TreeMap<>();
    well.forEach(
        (pool, count) -> {
          int slots = Math.min(count, InProcessTransport.DEPTH_MAX / 2);
          pools.putAll(Workforce.of(pool, MODELS, () -> slots).byPool());
        });
    return pools;
  }

  private OrderPolicy policy() {
    return switch (scenario.order()) {
      case FAIR -> new FairPolicy(scenario.tiers(), random.split());
      case FIFO -> OtherOrders.fifo();
      case STRICT -> OtherOrders.strict();
    };
  }

  private void at(double ms, Runnable what) {
    events.add(new Event(Math.max(clock.nowMs(), Math.round(ms)), eventCount++, what));
  }

  private void in(double ms, Runnable what) {
    at(clock.nowMs() + ms, what);
  }

  /**
   * Runs to the end.
   *
   * @param progress told the part that is done, 0 to 1
   */
  Outcome run(DoubleConsumer progress) {
    at(arrivals.gapMs(0), () -> arrive(0));
    at(0, this::tick);
    long nextTell = 0;
    while (!events.isEmpty()) {
      Event event = events.poll();
      clock.moveTo(event.atMs());
      if (event.atMs() > scenario.endMs() + DRAIN_MS_MAX) {
        break; // What has not ended by now is lost.
      }
      event.what().run();
      if (event.atMs() >= nextTell) {
        nextTell = event.atMs() + scenario.endMs() / 100;
        progress.accept(Math.min(1, (double) event.atMs() / scenario.endMs()));
      }
    }
    return tally.outcome(store, wellMin);
  }

  private boolean over() {
    return clock.nowMs() >= scenario.endMs() && open == 0;
  }

  private void arrive(double exactMs) {
    long now = clock.nowMs();
    if (now >= scenario.endMs()) {
      return;
    }
    Arrivals.Wish wish = arrivals.next(now);
    boolean admitted =
        scenario.order() != Scenario.Order.FAIR
            || admission.decide(
                    wish.tier().name(),
                    wish.relaxed(),
                    store.queuedMs(wish.lane()),
                    wish.estimateMs(),
                    pool -> well.getOrDefault(pool, 0))
                instanceof Admission.Decision.Admit;
    tally.asked(wish, admitted);
    if (admitted) {
      store.submit(wish);
      open++;
    }
    double next = Math.max(exactMs, now - 1) + arrivals.gapMs(now);
    at(next, () -> arrive(next));
  }

  private void tick() {
    relay.tick();
    dispatch();
    if (!over()) {
      in(TICK_MS, this::tick);
    }
  }

  private void dispatch() {
    idle.keySet().forEach(this::dispatch);
  }

  private void dispatch(String pool) {
    Deque<VirtualGpu> waiting = idle.get(pool);
    while (!waiting.isEmpty()) {
      VirtualGpu gpu = waiting.poll();
      if (!gpu.idle()) {
        continue;
      }
      Optional<Delivery> delivery = poll(pool);
      if (delivery.isEmpty()) {
        waiting.addFirst(gpu);
        return;
      }
      take(gpu, delivery.get());
    }
  }

  private Optional<Delivery> poll(String pool) {
    try {
      return transport.poll(pool, MODELS, Duration.ZERO);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void take(VirtualGpu gpu, Delivery delivery) {
    if (chance(scenario.faults().lostDeliveries())) {
      store.row(delivery.wakeUp().jobId()).wakeUpLost = true;
      delivery.ack();
      idle.get(gpu.pool).addFirst(gpu);
      return;
    }
    if (chance(scenario.faults().doubledDeliveries())) {
      transport.offer(delivery.wakeUp());
    }
    Optional<Lease> lease = store.lease(delivery.wakeUp().jobId(), gpu.id, LEASE);
    delivery.ack();
    if (lease.isEmpty() || !store.start(lease.get())) {
      idle.get(gpu.pool).addFirst(gpu);
      return;
    }
    VirtualJob job = store.row(lease.get().jobId());
    if (!job.wish.tier().mayUse(gpu.pool)) {
      throw new IllegalStateException(
          "a job of " + job.wish.tier().name() + " came to the pool " + gpu.pool);
    }
    tally.started(job);
    gpu.lease = lease.get();
    int run = ++gpu.run;
    in(job.wish.trueMs(), () -> done(gpu, run));
    in(RENEW_MS, () -> renew(gpu, run));
  }

  private boolean chance(double part) {
    return part > 0 && random.nextDouble() < part;
  }

  private boolean works(VirtualGpu gpu, int run) {
    return gpu.run == run && gpu.lease != null && gpu.condition != Condition.DEAD;
  }

  private void renew(VirtualGpu gpu, int run) {
    if (!works(gpu, run)) {
      return;
    }
    if (gpu.condition == Condition.WELL && store.renew(gpu.lease, LEASE) instanceof Renewal.Lost) {
      free(gpu);
      return;
    }
    in(RENEW_MS, () -> renew(gpu, run));
  }

  private void done(VirtualGpu gpu, int run) {
    if (!works(gpu, run)) {
      return;
    }
    if (gpu.condition == Condition.ASLEEP) {
      gpu.doneAsleep = true;
      return;
    }
    handIn(gpu);
  }

  private void handIn(VirtualGpu gpu) {
    Lease lease = gpu.lease;
    VirtualJob job = store.row(lease.jobId());
    if (chance(scenario.faults().errors())) {
      store.fail(lease, new JobFailure("engine.defect", "drawn", true));
    } else {
      boolean mine = lease.attempt() == job.attempt;
      boolean took = store.finish(lease, PICTURE);
      tally.finished(job, took, mine);
    }
    if (job.state.terminal() && job.finishedMs == clock.nowMs()) {
      open--;
    }
    free(gpu);
  }

  private void free(VirtualGpu gpu) {
    gpu.lease = null;
    gpu.doneAsleep = false;
    if (gpu.idle()) {
      idle.get(gpu.pool).add(gpu);
      dispatch();
    }
  }

  private void planTrouble(VirtualGpu gpu) {
    plan(gpu, scenario.faults().crashesPerGpuHour(), () -> crash(gpu));
    plan(gpu, scenario.faults().pausesPerGpuHour(), () -> sleep(gpu));
  }

  private void plan(VirtualGpu gpu, double perHour, Runnable what) {
    if (perHour <= 0) {
      return;
    }
    double gap = -Math.log(1 - random.nextDouble()) / perHour * 3_600_000;
    in(
        gap,
        () -> {
          if (!over()) {
            what.run();
            plan(gpu, perHour, what);
          }
        });
  }

  private void crash(VirtualGpu gpu) {
    if (gpu.condition != Condition.WELL) {
      return;
    }
    out(gpu, Condition.DEAD);
    gpu.lease = null;
    in(1_000 + random.nextDouble() * REPAIR_MS_MAX, () -> back(gpu));
  }

  private void sleep(VirtualGpu gpu) {
    if (gpu.condition != Condition.WELL) {
      return;
    }
    out(gpu, Condition.ASLEEP);
    in(
        LEASE.toMillis() + random.nextDouble() * SLEEP_MS_MAX,
        () -> {
          boolean done = gpu.doneAsleep;
          back(gpu);
          if (done) {
            handIn(gpu);
          }
        });
  }

  private void out(VirtualGpu gpu, Condition condition) {
    gpu.condition = condition;
    int left = well.merge(gpu.pool, -1, Integer::sum);
    long ofAll = (long) left * scenario.gpus() / scenario.gpusByPool().get(gpu.pool);
    wellMin = (int) Math.min(wellMin, ofAll);
  }

  private void back(VirtualGpu gpu) {
    gpu.condition = Condition.WELL;
    well.merge(gpu.pool, 1, Integer::sum);
    if (gpu.lease == null) {
      free(gpu);
    }
  }
}
