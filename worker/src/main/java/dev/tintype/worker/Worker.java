package dev.tintype.worker;

import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.fleet.WorkerState;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.store.EventHub;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.JobTransport;
import dev.tintype.worker.checkpoint.CheckpointStore;
import dev.tintype.worker.checkpoint.JobCheckpoints;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.picture.JdkDecoder;
import dev.tintype.worker.picture.PictureDecoder;
import dev.tintype.worker.picture.StoredPictures;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One worker: it takes wake-ups while it has room, leases their jobs and runs them in its step
 * loop. Threads: one for the loop and its device, one virtual for the intake, two virtual per job.
 */
public final class Worker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(30);

  /** How long a drain waits for the loop to checkpoint what it has. */
  private static final Duration LOOP_MAX = Duration.ofSeconds(10);

  private final WorkerConfig config;
  private final LeaseStore store;
  private final BlobStore blobs;
  private final CheckpointStore checkpoints;
  private final String version;
  private final JobOpener opener;
  private final EventHub hub;
  private final EngineLoader loader;
  private final Consumer<Throwable> onBroken;
  private final Intake intake;
  private final Room room;
  private final Semaphore picturesPending = new Semaphore(Decoding.PICTURES_PENDING_MAX);
  private final Map<RunningJob, JobWatch> running = new ConcurrentHashMap<>();
  private final CompletableFuture<Engine> loaded = new CompletableFuture<>();
  private final CountDownLatch draining = new CountDownLatch(1);
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CompletableFuture<Void> intakeEnded = new CompletableFuture<>();
  private final CompletableFuture<Void> loopEnded = new CompletableFuture<>();
  private final StepRate rate = new StepRate(System::nanoTime);
  private final AtomicBoolean broken = new AtomicBoolean();
  private volatile StepLoop loop;

  /**
   * @param checkpoints where other attempts of its jobs find how far this one was
   * @param version of the program; the checkpoints of another one are of no use
   * @param onBroken called once if the device is lost or the process is in a state from which
   *     nothing can be hoped; the process should end then, loudly
   */
  public Worker(
      WorkerConfig config,
      LeaseStore store,
      JobTransport transport,
      BlobStore blobs,
      EventHub hub,
      CheckpointStore checkpoints,
      String version,
      EngineLoader loader,
      Consumer<Throwable> onBroken) {
    this(
        config,
        store,
        transport,
        blobs,
        hub,
        checkpoints,
        version,
        loader,
        new JdkDecoder(),
        onBroken);
  }

  Worker(
      WorkerConfig config,
      LeaseStore store,
      JobTransport transport,
      BlobStore blobs,
      EventHub hub,
      CheckpointStore checkpoints,
      String version,
      EngineLoader loader,
      PictureDecoder decoder,
      Consumer<Throwable> onBroken) {
    this.config = config;
    this.store = store;
    this.blobs = blobs;
    this.hub = hub;
    this.loader = loader;
    this.onBroken = onBroken;
    this.checkpoints = config.checkpointSteps() == 0 ? CheckpointStore.none() : checkpoints;
    this.version = version;
    this.opener =
        new JobOpener(
            new StoredPictures(blobs, decoder),
            blobs::exists,
            job -> loop.submit(job),
            this::endBroken);
    this.room = new Room(config.jobsMax());
    this.intake =
        new Intake(config, store, transport, loader, room, draining, this::mayMakeRoom, this::run);
  }

  /**
   * Loads the model and begins to take jobs. Returns at once; the future ends when the model is
   * loaded, or with the reason why it cannot be.
   */
  public CompletableFuture<Engine> start(String model) {
    // A daemon: a model that takes minutes to load must not hold up a process that is told to stop.
    Thread.ofPlatform().daemon().name("step-loop").start(() -> runLoop(model));
    return loaded;
  }

  private void runLoop(String model) {
    try {
      Engine engine = loader.engine(model, Set.of()).orElseThrow();
      loop =
          new StepLoop(
              config,
              config.batchMax() == 0 ? engine.samplesPerCall() : config.batchMax(),
              picturesPending,
              rate,
              loader,
              this::busy,
              System::nanoTime);
      Thread.ofVirtual().name("worker-intake").start(this::takeJobs);
      loaded.complete(engine);
      while (stopping.getCount() > 0) {
        loop.tick();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      draining.countDown();
      if (!loaded.completeExceptionally(e)) {
        LOG.error("The device is lost: {}", e.getMessage(), e);
        endBroken(e);
      }
    } finally {
      draining.countDown();
      if (loop == null) {
        intakeEnded.complete(null);
      } else {
        loop.abandon();
      }
      loader.close();
      loopEnded.complete(null);
    }
  }

  /** A job's engine stays loaded from its lease until the job has ended. */
  private Set<String> busy() {
    return running.keySet().stream()
        .map(job -> job.spec().model())
        .collect(Collectors.toUnmodifiableSet());
  }

  private void takeJobs() {
    try {
      intake.run(loop::engine);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Error e) {
      LOG.error("No more jobs can be taken: {}", e.getMessage(), e);
      endBroken(e);
    } finally {
      draining.countDown();
      intakeEnded.complete(null);
    }
  }

  private void endBroken(Throwable why) {
    draining.countDown();
    if (broken.compareAndSet(false, true)) {
      onBroken.accept(why);
    }
  }

  private boolean mayMakeRoom() {
    return running.keySet().stream().anyMatch(RunningJob::mayMakeRoom);
  }

  private void run(Lease lease, TierClass tierClass, Engine engine) {
    StageTimes times =
        new StageTimes(lease.job().createdAt(), lease.until().minus(config.leaseTime()));
    RunningJob job = new RunningJob(lease, tierClass, engine, times);
    JobWatch watch =
        new JobWatch(
            job,
            store,
            hub,
            config.leaseTime(),
            loop::wake,
            urgent -> intake.wanted(urgent, job.spec().model()));
    JobCheckpoints checkpointsOf = new JobCheckpoints(checkpoints, version, lease, engine);
    JobScribe scribe =
        new JobScribe(
            job,
            new LeasedWrites(job, store, checkpointsOf),
            new PictureHandIn(job, blobs, config.handBackMax().toNanos()),
            checkpointsOf,
            picturesPending,
            config.progressEvery().toNanos(),
            () -> ended(job, watch));
    job.scribe(scribe);
    running.put(job, watch);
    Thread.ofVirtual().name("job-watch-" + lease.jobId()).start(watch);
    Thread.ofVirtual().name("job-scribe-" + lease.jobId()).start(scribe);
    opener.open(job, checkpointsOf);
  }

  private void ended(RunningJob job, JobWatch watch) {
    watch.end();
    running.remove(job);
    room.release();
    wakeLoop(); // Its engine may go now, and there may be room for pictures.
  }

  private void wakeLoop() {
    StepLoop started = loop;
    if (started != null) {
      started.wake();
    }
  }

  /** Jobs that this worker holds now. */
  public int jobs() {
    return running.size();
  }

  /**
   * What the fleet is told of this worker. The step rate is that since the last call.
   *
   * @param host the machine's name
   * @param version of the program
   * @param pool that it polls for
   */
  public WorkerStatus status(String host, String version, String pool) {
    boolean isLoaded = loaded.isDone() && !loaded.isCompletedExceptionally();
    EngineLoader.Memory memory = loader.memory();
    return new WorkerStatus(
        config.workerId(),
        host,
        isLoaded ? loaded.join().device() : "",
        memory.totalBytes(),
        memory.freeBytes(),
        new TreeSet<>(loader.models()),
        new TreeSet<>(loader.resident()),
        rate.perSecond(),
        running.size(),
        config.jobsMax(),
        state(),
        version,
        pool);
  }

  private WorkerState state() {
    if (broken.get() || loaded.isCompletedExceptionally()) {
      return WorkerState.SICK;
    }
    if (draining.getCount() == 0) {
      return WorkerState.DRAINING;
    }
    return loaded.isDone() ? WorkerState.READY : WorkerState.STARTING;
  }

  /** Takes no more jobs; those in the making go on. */
  public void takeNoMore() {
    draining.countDown();
  }

  /**
   * Takes no more jobs, and waits for those in the making; those not done in time are given back
   * for another worker.
   */
  public void drain(Duration patience) {
    draining.countDown();
    if (!loaded.isDone()) {
      return;
    }
    await(intakeEnded, CLOSE_MAX);
    boolean done = allRoom(patience);
    if (!done) {
      running.keySet().forEach(job -> job.stop(RunningJob.Stop.GIVE_BACK));
      if (loop != null) {
        loop.wake();
      }
      if (!allRoom(LOOP_MAX)) {
        // The loop is in a long call; the last regular checkpoints have to do.
        running.keySet().forEach(job -> job.scribe().end(new Ending.GiveBack(false)));
        allRoom(CLOSE_MAX);
      }
    }
  }

  private boolean allRoom(Duration patience) {
    try {
      if (room.tryAcquire(config.jobsMax(), patience.toMillis(), TimeUnit.MILLISECONDS)) {
        room.release(config.jobsMax());
        return true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  /** Gives the jobs in the making back and ends the loop; waits at most half a minute. */
  @Override
  public void close() {
    drain(Duration.ZERO);
    stopping.countDown();
    opener.close();
    if (loop == null && !loaded.isDone()) {
      return; // Still loading, which cannot be stopped halfway; it sees the word when it is done.
    }
    if (loop != null) {
      loop.wake();
    }
    await(loopEnded, CLOSE_MAX);
  }

  private static void await(CompletableFuture<Void> end, Duration patience) {
    try {
      end.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("The worker did not end in {} s", patience.toSeconds());
    }
  }
}
