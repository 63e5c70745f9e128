package dev.tintype.perf.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Carries a plan out until its time is over, and leaves nothing broken behind. */
final class Saboteur implements Runnable {
  private final Cluster cluster;
  private final FaultPlan plan;
  private final long endNs;
  private final CountDownLatch stop;
  private final Consumer<String> teller;
  private final Map<String, Integer> done = new ConcurrentHashMap<>();
  private final List<Future<?>> starts = new ArrayList<>();

  /**
   * @param end when the last fault is over, by System.nanoTime
   * @param teller told each fault as it begins
   */
  Saboteur(
      Cluster cluster, FaultPlan plan, long end, CountDownLatch stop, Consumer<String> teller) {
    this.cluster = cluster;
    this.plan = plan;
    this.endNs = end;
    this.stop = stop;
    this.teller = teller;
  }

  @Override
  public void run() {
    try (ExecutorService killers = Executors.newVirtualThreadPerTaskExecutor()) {
      while (true) {
        FaultPlan.Step step = plan.next();
        if (stop.await(Math.min(left(), step.gap().toMillis()), TimeUnit.MILLISECONDS)
            || left() <= 0) {
          break;
        }
        inflict(step.fault(), killers);
      }
      for (Future<?> start : starts) {
        start.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private long left() {
    return Math.max(0, (endNs - System.nanoTime()) / 1_000_000);
  }

  private void inflict(Fault fault, ExecutorService killers) throws InterruptedException {
    switch (fault) {
      case Fault.Kill(String target) -> {
        teller.accept("kill -9 " + target);
        // The next one does not wait until this one is back, as a bad day does not.
        starts.add(killers.submit(() -> cluster.kill(target)));
      }
      case Fault.Pause pause -> {
        teller.accept("pause " + pause.target() + " for " + pause.lasting().toSeconds() + " s");
        cluster.pause(pause.target());
        try {
          stop.await(pause.lasting().toMillis(), TimeUnit.MILLISECONDS);
        } finally {
          cluster.resume(pause.target());
        }
      }
      case Fault.Network network -> {
        teller.accept("line " + network.target() + " " + network.kind());
        cluster.line(network.target(), network.line());
        try {
          stop.await(network.lasting().toMillis(), TimeUnit.MILLISECONDS);
        } finally {
          cluster.line(network.target(), FaultyProxy.Line.CLEAR);
        }
      }
    }
    done.merge(fault.kind(), 1, Integer::sum);
  }

  /** How many faults of each kind it has inflicted. */
  Map<String, Integer> done() {
    return new TreeMap<>(done);
  }
}
