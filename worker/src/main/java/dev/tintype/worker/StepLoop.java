package dev.tintype.worker;

import dev.tintype.queue.job.JobId;
import dev.tintype.worker.JobScribe.Ending;
import dev.tintype.worker.RunningJob.Sample;
import dev.tintype.worker.StageTimes.Stage;
import dev.tintype.worker.StepPolicy.Candidate;
import dev.tintype.worker.StepPolicy.Held;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.EngineFault;
import dev.tintype.worker.engine.Painting;
import dev.tintype.worker.engine.PaintingState;
import dev.tintype.worker.engine.Picture;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop that feeds a device. Each tick: drop what was stopped, admit what fits, pick a batch,
 * take one denoising step, decode what is done. Only this loop's thread touches the engine.
 */
final class StepLoop {
  private static final Logger LOG = LoggerFactory.getLogger(StepLoop.class);

  /** Decoded pictures that wait for their PNG and the store; bounds memory (1024^2: 3 MB each). */
  static final int PICTURES_PENDING_MAX = 8;

  private static final long IDLE_MS = 1_000;

  /** How often finished latents ask whether their store has room again. */
  private static final long STORE_AWAY_MS = 50;

  /**
   * Jobs whose calls failed on the device, without a good call between them, that mean that it is
   * lost. Jobs are counted, not calls: one poisonous job is tried again until it is dead, and must
   * not end an idle server.
   */
  static final int FAILED_JOBS_MAX = 5;

  /** A model that the intake wants loaded. */
  private record EngineWish(String model, CompletableFuture<Engine> answer) {}

  private final WorkerConfig config;
  private final BlockingQueue<Runnable> inbox;
  private final Semaphore picturesPending;
  private final StepRate rate;
  private final EngineLoader loader;
  private final Supplier<Set<String>> busy;
  private EngineWish wish;
  private final List<RunningJob> jobs = new ArrayList<>();
  private volatile boolean abandoned;
  private final BatchSize batchSize;
  private final Set<JobId> failedJobs = new HashSet<>();
  private long admissions;
  private long ticks;

  /**
   * @param picturesPending {@link #PICTURES_PENDING_MAX} permits, shared with the scribes
   * @param rate told of every step
   * @param busy models whose engines jobs hold, from their lease to their end
   */
  StepLoop(
      WorkerConfig config,
      int batchMax,
      Semaphore picturesPending,
      StepRate rate,
      EngineLoader loader,
      Supplier<Set<String>> busy) {
    this.config = config;
    this.batchSize = new BatchSize(batchMax);
    this.picturesPending = picturesPending;
    this.rate = rate;
    this.loader = loader;
    this.busy = busy;
    this.inbox = new LinkedBlockingQueue<>();
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
    jobs.forEach(job -> models.add(job.spec().model()));
    return models;
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
    preempt();
    jobs.removeIf(this::stopped);
    load();
    admit();
    step();
    decodeDone();
  }

  private void receive() throws InterruptedException {
    long wait = jobs.isEmpty() ? IDLE_MS : latentsWait() ? STORE_AWAY_MS : 0;
    Runnable news = inbox.poll(wait, TimeUnit.MILLISECONDS);
    while (news != null) {
      news.run();
      news = inbox.poll();
    }
  }

  /** Whether all that is in the making is done, and waits for its store. */
  private boolean latentsWait() {
    List<Sample> samples = jobs.stream().flatMap(job -> job.samples().stream()).toList();
    return !samples.isEmpty() && samples.stream().allMatch(sample -> sample.painting().done());
  }

  /** Makes room where the worker took an urgent job beyond what it holds, or has no latent left. */
  private void preempt() {
    if (config.checkpointSteps() == 0) {
      return; // It would lose what it takes away.
    }
    // Stable: within a class the oldest stay first, and are admitted first.
    jobs.sort(Comparator.comparing(job -> !job.urgent()));
    boolean noSeat = jobs.size() > config.jobsMax();
    boolean noLatent = samples() >= config.samplesMax();
    boolean urgentWaits = jobs.stream().anyMatch(job -> job.urgent() && job.samples().isEmpty());
    if (!urgentWaits || !(noSeat || noLatent)) {
      return;
    }
    // A job that has no latent frees none by going.
    List<Held> held =
        jobs.stream()
            .filter(job -> job.stop() == null && (noSeat || !job.samples().isEmpty()))
            .map(RunningJob::held)
            .toList();
    StepPolicy.toPreempt(held)
        .ifPresent(
            chosen -> {
              LOG.info("Job {} makes room for a more urgent one", chosen.job());
              jobs.stream()
                  .filter(job -> job.lease().jobId().equals(chosen.job()))
                  .forEach(job -> job.stop(RunningJob.Stop.PREEMPT));
            });
  }

  private int samples() {
    return jobs.stream().mapToInt(job -> job.samples().size()).sum();
  }

  private boolean stopped(RunningJob job) {
    RunningJob.Stop reason = job.stop();
    if (reason == null) {
      return false;
    }
    if (reason == RunningJob.Stop.GIVE_BACK || reason == RunningJob.Stop.PREEMPT) {
      job.samples().forEach(this::checkpoint);
    }
    job.closeSamples();
    job.scribe()
        .end(
            switch (reason) {
              case CANCEL -> new Ending.Cancel();
              case GIVE_BACK -> new Ending.GiveBack(false);
              case PREEMPT -> new Ending.GiveBack(true);
              // The scribe has its own ending already, and the first one counts.
              case FAILED, LOST -> new Ending.Drop();
            });
    return true;
  }

  private void admit() {
    int running = samples();
    for (Iterator<RunningJob> each = jobs.iterator(); each.hasNext(); ) {
      RunningJob job = each.next();
      if (job.complete()) {
        succeed(job); // An earlier attempt has stored all of its pictures.
        each.remove();
        continue;
      }
      while (running < config.samplesMax() && job.wantsAdmission()) {
        long start = System.nanoTime();
        try {
          Painting painting = begin(job, job.nextIndex());
          job.admit(new Sample(job, job.nextIndex(), admissions++, painting));
          long took = System.nanoTime() - start;
          job.times().add(Stage.TEXT, took);
          job.addDeviceNanos(took);
          running++;
        } catch (RuntimeException e) {
          if (EngineFault.of(e) == EngineFault.MEMORY && running > 0) {
            return; // There will be room when a running sample is done.
          }
          running -= job.samples().size();
          fail(job, e);
          each.remove();
          break;
        }
      }
    }
  }

  /** From where an earlier attempt was, if that is known. */
  private static Painting begin(RunningJob job, int index) {
    Optional<PaintingState> state = job.state(index);
    if (state.isPresent()) {
      try {
        return job.engine().resume(job.spec(), index, job.start(), state.get());
      } catch (RuntimeException e) {
        if (EngineFault.of(e) != EngineFault.JOB) {
          throw e;
        }
        LOG.warn("Job {} is begun anew: {}", job.lease().jobId(), e.getMessage());
      }
    }
    return job.engine().admit(job.spec(), index, job.start());
  }

  private void step() {
    List<Sample> batch = batch();
    if (batch.isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    try {
      batch.getFirst().job().engine().step(batch.stream().map(Sample::painting).toList());
    } catch (RuntimeException e) {
      stepFailed(batch, e);
      return;
    }
    stepped(batch, System.nanoTime() - start);
  }

  private void stepped(List<Sample> batch, long took) {
    failedJobs.clear();
    rate.add(batch.size());
    batchSize.stepped(batch.size());
    Set<RunningJob> stepped = new HashSet<>();
    for (Sample sample : batch) {
      if (stepped.add(sample.job())) {
        sample.job().times().add(Stage.STEPS, took);
      }
      sample.job().addDeviceNanos(took / batch.size());
      sample.job().stepped();
    }
    for (Sample sample : batch) {
      if (config.checkpointDue(sample.painting().step(), sample.painting().steps())) {
        checkpoint(sample);
      }
    }
  }

  /**
   * Decodes what is done, as far as finished pictures may wait for their store: while it is away,
   * latents wait on the device, and the rest goes on.
   */
  private void decodeDone() {
    for (RunningJob job : List.copyOf(jobs)) {
      for (Sample sample : List.copyOf(job.samples())) {
        if (sample.painting().done() && job.stop() == null && jobs.contains(job)) {
          if (!picturesPending.tryAcquire()) {
            return;
          }
          decode(sample);
        }
      }
    }
  }

  /**
   * Hands the scribe what another worker needs to go on; a lost device is told by its next step.
   */
  private void checkpoint(Sample sample) {
    if (config.checkpointSteps() == 0 || sample.painting().step() == 0) {
      return;
    }
    try {
      PaintingState state = sample.job().engine().save(sample.painting());
      sample.job().scribe().checkpoint(sample.index(), state);
    } catch (RuntimeException e) {
      LOG.warn("Job {}: no checkpoint: {}", sample.job().lease().jobId(), e.getMessage());
    }
  }

  private static Candidate candidate(Sample sample) {
    RunningJob job = sample.job();
    return new Candidate(sample.admission(), job.bucket(), job.urgent());
  }

  private List<Sample> batch() {
    List<Candidate> running = new ArrayList<>();
    for (RunningJob job : jobs) {
      for (Sample sample : job.samples()) {
        if (!sample.painting().done()) {
          running.add(candidate(sample));
        }
      }
    }
    Set<Candidate> picked = new HashSet<>(StepPolicy.pick(running, batchSize.max(), ticks++));
    return jobs.stream()
        .flatMap(job -> job.samples().stream())
        .filter(s -> picked.contains(candidate(s)))
        .toList();
  }

  /** Nobody has moved: the engine steps all or none. */
  private void stepFailed(List<Sample> batch, RuntimeException error) {
    EngineFault fault = EngineFault.of(error);
    if (fault == EngineFault.DEVICE) {
      throw error;
    }
    if (fault == EngineFault.MEMORY && batch.size() > 1) {
      batchSize.outOfMemory(batch.size());
      LOG.warn(
          "Out of device memory with {} pictures at once; {} from now",
          batch.size(),
          batchSize.max());
      return;
    }
    if (batch.size() > 1) {
      LOG.warn("A step of {} pictures failed; one by one: {}", batch.size(), error.getMessage());
      oneByOne(batch);
      return;
    }
    RunningJob job = batch.getFirst().job();
    fail(job, error);
    jobs.remove(job);
  }

  /** Finds whose fault it was, so that the others of a batch do not pay for one. */
  private void oneByOne(List<Sample> batch) {
    for (Sample sample : batch) {
      if (!jobs.contains(sample.job()) || sample.job().stop() != null) {
        continue; // Another picture of its job was the guilty one.
      }
      long start = System.nanoTime();
      try {
        sample.job().engine().step(List.of(sample.painting()));
      } catch (RuntimeException e) {
        fail(sample.job(), e);
        jobs.remove(sample.job());
        continue;
      }
      stepped(List.of(sample), System.nanoTime() - start);
    }
  }

  private void decode(Sample sample) {
    RunningJob job = sample.job();
    long start = System.nanoTime();
    Picture picture;
    try {
      picture = job.engine().decode(sample.painting());
    } catch (RuntimeException e) {
      picturesPending.release();
      fail(job, e);
      jobs.remove(job);
      return;
    }
    long took = System.nanoTime() - start;
    job.times().add(Stage.DECODE, took);
    job.addDeviceNanos(took);
    job.scribe().picture(sample.index(), picture);
    job.decoded(sample);
    if (job.complete()) {
      succeed(job);
      jobs.remove(job);
    }
  }

  private static void succeed(RunningJob job) {
    OptionalLong took = job.goesOn() ? OptionalLong.empty() : OptionalLong.of(job.deviceMs());
    job.scribe().end(new Ending.Succeed(job.stepsInAll(), took));
  }

  /** Ends one job with the error's words; throws it on where the device is lost. */
  private void fail(RunningJob job, RuntimeException error) {
    EngineFault fault = EngineFault.of(error);
    if (fault == EngineFault.CALL) {
      failedJobs.add(job.lease().jobId());
    }
    if (fault == EngineFault.DEVICE || failedJobs.size() >= FAILED_JOBS_MAX) {
      throw error;
    }
    if (fault == EngineFault.DEFECT) {
      LOG.error("Job {}: the engine met a defect", job.lease().jobId(), error);
    } else {
      LOG.warn("Job {}: {}", job.lease().jobId(), error.getMessage());
    }
    job.closeSamples();
    job.scribe().end(new Ending.Fail(EngineFault.failure(error), false));
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
    jobs.forEach(job -> job.scribe().end(new Ending.GiveBack(false)));
    jobs.clear();
  }
}
