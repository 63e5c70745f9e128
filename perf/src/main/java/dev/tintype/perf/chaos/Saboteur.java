package dev.tintype.perf.chaos;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Carries a plan out until its time is over, and leaves nothing broken behind. */
final class Saboteur implements Runnable {
  private final Cluster cluster;
  private final FaultPlan plan;
  private final long endNs;
  private final CountDownLatch stop;
  private final Consumer<String> teller;
  private volatile int kills;
  private volatile int pauses;
  private volatile int cuts;

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
    try {
      while (true) {
        FaultPlan.Step step = plan.next();
        if (stop.await(Math.min(left(), step.gap().toMillis()), TimeUnit.MILLISECONDS)
            || left() <= 0) {
          return;
        }
        inflict(step.fault());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private long left() {
    return Math.max(0, (endNs - System.nanoTime()) / 1_000_000);
  }

  private void inflict(Fault fault) throws InterruptedException {
    switch (fault) {
      case Fault.Kill(String target) -> {
        teller.accept("kill -9 " + target);
        cluster.kill(target);
        kills++;
      }
      case Fault.Pause(String target, Duration lasting) -> {
        teller.accept("pause " + target + " for " + lasting.toSeconds() + " s");
        cluster.pause(target);
        try {
          stop.await(lasting.toMillis(), TimeUnit.MILLISECONDS);
        } finally {
          cluster.resume(target);
        }
        pauses++;
      }
      case Fault.Network(String target, FaultyProxy.Line line, Duration lasting) -> {
        teller.accept("line " + target + " " + line.name().toLowerCase(java.util.Locale.ROOT));
        cluster.line(target, line);
        try {
          stop.await(lasting.toMillis(), TimeUnit.MILLISECONDS);
        } finally {
          cluster.line(target, FaultyProxy.Line.CLEAR);
        }
        cuts++;
      }
    }
  }

  int kills() {
    return kills;
  }

  int pauses() {
    return pauses;
  }

  int cuts() {
    return cuts;
  }
}
