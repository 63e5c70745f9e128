package dev.tintype.perf.chaos;

import dev.tintype.node.NodeException;
import dev.tintype.perf.chaos.History.Submission;
import dev.tintype.servers.ServerException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** One run from the first process to the verdict. */
final class ChaosRun {
  private static final int PROGRESS_MS = 5_000;
  private static final int DRAIN_LOOK_MS = 400;
  private static final int FOLLOWERS_S_MAX = 30;

  /** A cold server compiles while it answers its first requests. */
  private static final Duration LOAD_MAX = Duration.ofSeconds(60);

  private final ChaosConfig config;
  private final Consumer<String> teller;
  private final History history = new History();
  private final CountDownLatch loadStop = new CountDownLatch(1);
  private final CountDownLatch followStop = new CountDownLatch(1);
  private final long began = System.nanoTime();

  /**
   * @param teller told what happens, a line each
   */
  ChaosRun(ChaosConfig config, Consumer<String> teller) {
    this.config = config;
    this.teller = teller;
  }

  Verdict run() throws InterruptedException {
    tell(config.mode() + ", seed " + config.seed() + ", folder " + config.folder());
    try (Cluster cluster = open()) {
      Thread hook = new Thread(cluster::close, "chaos-stop");
      Runtime.getRuntime().addShutdownHook(hook);
      try (Calls calls = new Calls(cluster.origin(), cluster.apiKey(), history);
          ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        return run(cluster, calls, threads);
      } finally {
        loadStop.countDown();
        followStop.countDown();
        Runtime.getRuntime().removeShutdownHook(hook);
      }
    }
  }

  private Cluster open() {
    Path folder = config.folder();
    try {
      return switch (config.mode()) {
        case ALONE -> new AloneCluster(folder);
        case APART -> new ApartCluster(folder);
        case FLEET -> new FleetCluster(folder);
      };
    } catch (ServerException e) {
      throw new NodeException.Start("chaos.start", e.getMessage(), e);
    }
  }

  private Verdict run(Cluster cluster, Calls calls, ExecutorService threads)
      throws InterruptedException {
    tell("ready at " + cluster.origin());
    Consumer<String> follow =
        id ->
            threads.execute(
                new Follower(cluster.origin(), cluster.apiKey(), id, history, followStop));
    List<Thread> clients =
        IntStream.range(0, config.clients())
            .mapToObj(i -> new LoadClient(calls, history, config, i, loadStop, follow))
            .map(client -> Thread.ofVirtual().uncaughtExceptionHandler(this::broken).start(client))
            .toList();
    awaitLoad();
    long end = System.nanoTime() + config.time().toNanos();
    Saboteurs saboteurs =
        new Saboteurs(
            saboteur(cluster, FaultPlan.kills(config.seed(), cluster, config.time()), end),
            saboteur(cluster, FaultPlan.pauses(config.seed(), cluster, config.time()), end),
            saboteur(cluster, FaultPlan.lines(config.seed(), cluster), end));
    List<Thread> faults = new ArrayList<>();
    for (Saboteur saboteur : saboteurs.all()) {
      faults.add(Thread.ofVirtual().uncaughtExceptionHandler(this::broken).start(saboteur));
    }
    while (faults.stream().anyMatch(Thread::isAlive)) {
      progress();
      join(faults, Duration.ofMillis(PROGRESS_MS));
    }
    loadStop.countDown();
    join(clients, Duration.ofSeconds(FOLLOWERS_S_MAX));
    tell("faults are over: draining");
    long drainMs = drain(cluster, calls);
    progress();
    tell("checking");
    try (Calls pictures = new Calls(cluster.pictures(), cluster.apiKey(), history)) {
      Checker checker = new Checker(calls, pictures, history, cluster.origin(), cluster.apiKey());
      checker.check();
      followStop.countDown();
      return new Verdict(config, history, saboteurs, checker.checkedPictures(), drainMs);
    }
  }

  private Saboteur saboteur(Cluster cluster, FaultPlan plan, long end) {
    return new Saboteur(cluster, plan, end, loadStop, this::tell);
  }

  /** Faults before the first accepted job would break nothing that was promised. */
  private void awaitLoad() throws InterruptedException {
    long start = System.nanoTime();
    while (history.accepted().size() < config.openMax()
        && System.nanoTime() - start < LOAD_MAX.toNanos()) {
      loadStop.await(DRAIN_LOOK_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void broken(Thread thread, Throwable cause) {
    history.violation(History.Promise.BOUND, "a part of the run ended: " + cause);
  }

  private static void join(List<Thread> threads, Duration longest) throws InterruptedException {
    long end = System.nanoTime() + longest.toNanos();
    for (Thread thread : threads) {
      thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
    }
  }

  /** Asks again until everything is answered and ended, or the bound is reached; the time taken. */
  private long drain(Cluster cluster, Calls calls) throws InterruptedException {
    CountDownLatch never = new CountDownLatch(1);
    long start = System.nanoTime();
    long told = start;
    while (System.nanoTime() - start < config.drainMax().toNanos()) {
      for (String revived : cluster.revive()) {
        tell(revived + " had ended by itself and was started again");
      }
      for (Submission submission : history.unanswered()) {
        calls.submit(submission, submission.recipe().body());
      }
      for (String id : history.open()) {
        calls.job(id);
      }
      if (history.unanswered().isEmpty() && history.open().isEmpty()) {
        break;
      }
      if (System.nanoTime() - told > PROGRESS_MS * 1_000_000L) {
        told = System.nanoTime();
        progress();
      }
      never.await(DRAIN_LOOK_MS, TimeUnit.MILLISECONDS);
    }
    return (System.nanoTime() - start) / 1_000_000;
  }

  private void progress() {
    tell(
        "%d accepted, %d ended, %d open, %d unanswered, %d events, %d violations"
            .formatted(
                history.accepted().size(),
                history.ended(),
                history.open().size(),
                history.unanswered().size(),
                history.events.get(),
                history.violations().size()));
  }

  private void tell(String what) {
    teller.accept("%6.1f s  %s".formatted((System.nanoTime() - began) / 1e9, what));
  }
}
