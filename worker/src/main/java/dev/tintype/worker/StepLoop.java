package dev.tintype.worker;

import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.EngineFault;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The loop that feeds a device. Each tick: drop what was stopped, admit what fits, take one
 * denoising step of a batch, decode what is done. Only this loop's thread touches the engine;
 * others reach it by its inbox.
 */
final class StepLoop {
  private static final long IDLE_MS = 1_000;

  /** How often finished latents ask whether their store has room again. */
  private static final long STORE_AWAY_MS = 50;

  /** A model that the intake wants loaded. */
  private record EngineWish(String model, CompletableFuture<Engine> answer) {}

  private final BlockingQueue<Runnable> inbox = new LinkedBlockingQueue<>();
  private final LoopJobs jobs;
  private final MakingRoom makingRoom;
  private final Admissions admissions;
  private final BatchStep batchStep;
  private final Decoding decoding;
  private final EngineLoader loader;
  private final Supplier<Set<String>> busy;
  private EngineWish wish;
  private volatile boolean abandoned;

  /**
   * @param picturesPending {@link Decoding#PICTURES_PENDING_MAX} permits, shared with the scribes
   * @param rate told of every step
   * @param busy models whose engines jobs hold, from their lease to their end
   * @param nanoTime as {@link System#nanoTime}; what jobs are charged by
   */
  StepLoop(
      WorkerConfig config,
      int batchMax,
      Semaphore picturesPending,
      StepRate rate,
      EngineLoader loader,
      Supplier<Set<String>> busy,
      LongSupplier nanoTime) {
    this.jobs = new LoopJobs(config.checkpointSteps() > 0);
    this.makingRoom = new MakingRoom(jobs, config);
    this.admissions = new Admissions(jobs, config.samplesMax(), nanoTime);
    this.batchStep = new BatchStep(jobs, config, new BatchSize(batchMax), rate, nanoTime);
    this.decoding = new Decoding(jobs, picturesPending, nanoTime);
    this.loader = loader;
    this.busy = busy;
  }

  /** Hands a job over; the worker's permits bound how many. Thread-safe. */
  void submit(RunningJob job) {
    inbox.add(() -> jobs.add(job));
    if (abandoned) {
      job.scribe().end(new Ending.GiveBack(false));
    }
  }

  /**
   * Has a model loaded, as soon as there is room for it; steps pause meanwhile. One at a time.
   * Canceled when the loop ends, or by the caller, who no longer wants it.
   */
  CompletableFuture<Engine> engine(String model) {
    EngineWish asked = new EngineWish(model, new CompletableFuture<>());
    inbox.add(() -> wish = asked);
    if (abandoned) {
      asked.answer().cancel(false);
    }
    return asked.answer();
  }

  /** Makes an idle loop look again. Thread-safe. */
  void wake() {
    inbox.add(() -> {});
  }

  /**
   * One tick, waiting a while if there is nothing to do. Any error that it throws means that the
   * device is lost; {@link #abandon} then gives all jobs back.
   */
  void tick() throws InterruptedException {
    receive();
    makingRoom.preempt();
    if (batchStep.isUnderWay() && turnsAside()) {
      batchStep.settle();
    }
    jobs.removeStopped();
    load();
    admissions.admit();
    batchStep.step();
    decoding.decode();
  }

  /** Whether this tick asks anything of the device beside the step that is expected. */
  private boolean turnsAside() {
    return wish != null
        || admissions.want()
        || jobs.stream().anyMatch(job -> job.stop() != null)
        || jobs.samples().stream().anyMatch(sample -> sample.painting().done());
  }

  private void receive() throws InterruptedException {
    long wait = jobs.isEmpty() ? IDLE_MS : decoding.waits() ? STORE_AWAY_MS : 0;
    Runnable news = inbox.poll(wait, TimeUnit.MILLISECONDS);
    while (news != null) {
      news.run();
      news = inbox.poll();
    }
  }

  private void load() {
    if (wish == null || wish.answer().isDone()) {
      wish = null;
      return;
    }
    try {
      loader.engine(wish.model(), busyNow()).ifPresent(wish.answer()::complete);
    } catch (RuntimeException e) {
      wish.answer().completeExceptionally(e);
      if (EngineFault.of(e) == EngineFault.DEVICE) {
        throw e;
      }
    }
  }

  /** Those of jobs that the worker has given up count while their samples are here. */
  private Set<String> busyNow() {
    Set<String> models = new HashSet<>(busy.get());
    models.addAll(jobs.models());
    return models;
  }

  /** Gives every job back, without touching the engine. For the loop's thread. */
  void abandon() {
    abandoned = true;
    for (Runnable news = inbox.poll(); news != null; news = inbox.poll()) {
      news.run();
    }
    if (wish != null) {
      wish.answer().cancel(false);
    }
    jobs.abandon();
  }
}
