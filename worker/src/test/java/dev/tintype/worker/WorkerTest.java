package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.ephemera.InProcessEphemera;
import dev.tintype.queue.fleet.WorkerState;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.EventFeed;
import dev.tintype.queue.store.LiveEventHub;
import dev.tintype.queue.store.PostgresAccountStore;
import dev.tintype.queue.store.PostgresJobStore;
import dev.tintype.queue.store.PostgresSignals;
import dev.tintype.queue.store.RetryPolicy;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.InProcessTransport;
import dev.tintype.queue.transport.WakeUp;
import dev.tintype.worker.checkpoint.EphemeraCheckpoints;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.picture.JdkDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The worker over a real database, with an engine that does what its prompts say. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WorkerTest {
  private static final int CHECKPOINT_STEPS = 4;
  private static final Duration WAIT_MAX = Duration.ofSeconds(60);

  /** The product's limits without its waits. */
  private static final RetryPolicy RETRY =
      new RetryPolicy(
          RetryPolicy.DEFAULT.crashesMax(),
          RetryPolicy.DEFAULT.errorsMax(),
          Duration.ZERO,
          Duration.ZERO);

  private final SecureRandom random = new SecureRandom();
  private Path folder;
  private EmbeddedPostgres server;
  private Database database;
  private PostgresSignals signals;
  private PostgresJobStore store;
  private LiveEventHub hub;
  private BlobStoreWithOutages blobs;
  private InProcessTransport transport;
  private ScriptedEngine engine;
  private CompletableFuture<Throwable> broken;
  private Worker worker;
  private volatile Error decoding;
  private InProcessEphemera kept;

  @BeforeAll
  void open() throws IOException {
    folder = Files.createTempDirectory("tintype-worker-");
    server = EmbeddedPostgres.start(folder.resolve("queue"));
    database = Database.open(server.config());
    signals = PostgresSignals.start(database, random);
    store = new PostgresJobStore(database, signals, RETRY, Clock.systemUTC(), random);
    new PostgresAccountStore(database, random).createUser("ann", "pro", false);
    hub = LiveEventHub.start(store, signals);
    BlobStore directory = new DirectoryBlobStore(folder.resolve("blobs"));
    blobs = new BlobStoreWithOutages(directory);
  }

  @AfterAll
  void closeAll() throws IOException {
    hub.close();
    store.close();
    signals.close();
    database.close();
    server.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @BeforeEach
  void start() throws Exception {
    transport = new InProcessTransport(64, Duration.ofSeconds(30), Clock.systemUTC());
    engine = new ScriptedEngine();
    blobs.away = false;
    blobs.refused.set(0);
    decoding = null;
    broken = new CompletableFuture<>();
    kept = new InProcessEphemera(Clock.systemUTC());
    worker = start("test-1", engine);
  }

  private Worker start(String id, ScriptedEngine itsEngine) throws Exception {
    Worker fresh =
        new Worker(
            WorkerConfig.defaults(id).withCheckpointSteps(CHECKPOINT_STEPS),
            store,
            transport,
            blobs,
            hub,
            new EphemeraCheckpoints(kept),
            "1",
            itsEngine,
            this::decode,
            broken::complete);
    fresh.start(ScriptedEngine.MODEL).get(10, TimeUnit.SECONDS);
    return fresh;
  }

  @AfterEach
  void stop() {
    engine.slowSteps.release(10_000);
    worker.close();
    transport.close();
  }

  private Picture decode(byte[] file, int width, int height, int background) throws IOException {
    if (decoding != null) {
      throw decoding;
    }
    return new JdkDecoder().decode(file, width, height, background);
  }

  private JobId submit(String prompt, int images, int steps) {
    JobSpec spec =
        JobSpec.builder(ScriptedEngine.MODEL, prompt)
            .size(8, 8)
            .steps(steps)
            .images(images)
            .seed(7)
            .build();
    SubmitResult result =
        store.submit(SubmitRequest.plain("ann", "pro", spec, Long.toString(random.nextLong()), 1));
    return ((SubmitResult.Accepted) result).job().id();
  }

  private JobId run(String prompt, int images, int steps) {
    JobId id = submit(prompt, images, steps);
    offer(id);
    return id;
  }

  private void offer(JobId id) {
    offer(id, TierClass.PRIORITY);
  }

  private void offer(JobId id, TierClass tierClass) {
    assertThat(transport.offer(new WakeUp(id, ScriptedEngine.MODEL, tierClass))).isTrue();
  }

  /** All events up to the first of one of these types. */
  private List<EventType> until(JobId id, EventType... last) throws InterruptedException {
    List<EventType> seen = new ArrayList<>();
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    try (EventFeed feed = hub.follow(id, 0)) {
      while (System.nanoTime() < deadline) {
        for (JobEvent event : feed.next(Duration.ofSeconds(1))) {
          seen.add(event.type());
          if (List.of(last).contains(event.type())) {
            return seen;
          }
        }
      }
    }
    throw new AssertionError("no " + List.of(last) + " after " + seen);
  }

  private Job job(JobId id) {
    return store.get(id).orElseThrow();
  }

  @Test
  void severalPicturesShareTheirStepsAndHaveTheNextSeeds() throws Exception {
    JobId id = run("plain", 3, 5);
    until(id, EventType.SUCCEEDED);
    assertThat(job(id).images())
        .extracting(image -> image.index() + ":" + image.seed())
        .containsExactly("0:7", "1:8", "2:9");
    Set<String> different = new HashSet<>();
    job(id).images().forEach(image -> different.add(image.sha256()));
    assertThat(different).hasSize(3).allMatch(blobs::exists);
    assertThat(engine.largestBatch).isEqualTo(3);
    assertThat(engine.stepsTaken).hasValue(15);
    assertThat(engine.open).hasValue(0);
  }

  @Test
  void whatAJobTookOfTheDeviceIsReported() throws Exception {
    int before = store.measured(1000).size();
    JobId id = run("plain", 2, 3);
    until(id, EventType.SUCCEEDED);
    assertThat(store.measured(1000)).hasSize(before + 1);
    assertThat(store.measured(1).getFirst().spec()).isEqualTo(job(id).spec());
  }

  @Test
  void outOfMemoryHalvesTheBatchAndBlamesNobody() throws Exception {
    engine.memory = 2;
    JobId id = run("plain", 4, 3);
    until(id, EventType.SUCCEEDED);
    assertThat(job(id).errors()).isZero();
    assertThat(engine.largestBatch).isEqualTo(2);
  }

  @Test
  void whatCannotBePaintedFailsAloneWithItsCode() throws Exception {
    JobId refused = run("refuse", 1, 3);
    JobId fine = run("plain", 1, 3);
    until(refused, EventType.FAILED);
    until(fine, EventType.SUCCEEDED);
    assertThat(job(refused).failure().orElseThrow().code()).isEqualTo("worker.kind");
    assertThat(job(refused).attempt()).isEqualTo(1);
  }

  @Test
  void aDefectIsTriedAgainLater() throws Exception {
    JobId id = run("defect", 1, 3);
    List<EventType> events = until(id, EventType.STARTED);
    assertThat(events).startsWith(EventType.QUEUED);
    untilQueuedAgain(id);
    assertThat(job(id).errors()).isEqualTo(1);
    assertThat(job(id).failure().orElseThrow().code()).isEqualTo("engine.defect");
  }

  @Test
  void oneBadPictureDoesNotTakeItsBatchAlong() throws Exception {
    // The first step of `slow` waits, so that the two that follow are admitted to one batch.
    JobId gate = run("slow", 1, 1);
    until(gate, EventType.STARTED);
    JobId bad = run("defect", 1, 3);
    JobId good = run("plain", 2, 3);
    // Jobs are taken one after the other: when the last has started, the two are with the loop.
    until(run("plain", 1, 3), EventType.STARTED);
    engine.slowSteps.release(1);
    until(good, EventType.SUCCEEDED);
    untilQueuedAgain(bad);
    assertThat(engine.batchesFailed).hasValue(1);
    assertThat(job(good).attempt()).isEqualTo(1);
    assertThat(job(good).errors()).isZero();
    assertThat(job(bad).errors()).isEqualTo(1);
  }

  @Test
  void aFailedCallCostsOneAttemptAndKeepsTheWorker() throws Exception {
    JobId failed = run("call", 1, 3);
    untilQueuedAgain(failed);
    until(run("plain", 1, 3), EventType.SUCCEEDED);
    assertThat(job(failed).failure().orElseThrow().code()).isEqualTo("device.failed");
    assertThat(broken).isNotDone();
  }

  @Test
  void callsThatFailAgainAndAgainMeanThatTheDeviceIsLost() throws Exception {
    for (int i = 0; i < StepLoop.FAILED_JOBS_MAX; i++) {
      run("call", 1, 3);
    }
    assertThat(broken.get(30, TimeUnit.SECONDS)).hasMessage("a call failed");
  }

  @Test
  void oneJobThatFailsUntilItIsDeadDoesNotEndTheWorker() throws Exception {
    JobId poison = run("call", 1, 3);
    for (int tries = 2; tries <= RETRY.errorsMax(); tries++) {
      passingSteps(poison, EventType.QUEUED, tries);
      offer(poison);
    }
    until(poison, EventType.DEAD);
    until(run("plain", 1, 3), EventType.SUCCEEDED);
    assertThat(broken).isNotDone();
  }

  private JobId runFrom(String sha256) {
    JobSpec spec =
        JobSpec.builder(ScriptedEngine.MODEL, "plain")
            .size(8, 8)
            .steps(2)
            .initImage(sha256)
            .build();
    SubmitResult result =
        store.submit(SubmitRequest.plain("ann", "pro", spec, Long.toString(random.nextLong()), 1));
    JobId id = ((SubmitResult.Accepted) result).job().id();
    offer(id);
    return id;
  }

  @Test
  void aPictureThatFillsTheHeapFailsItsJobAlone() throws Exception {
    decoding = new OutOfMemoryError("a picture too large");
    JobId large = runFrom(blobs.put(new byte[] {1}));
    until(large, EventType.FAILED);
    assertThat(job(large).failure().orElseThrow().code()).isEqualTo("worker.image");
    assertThat(job(large).attempt()).isEqualTo(1);
    until(run("plain", 1, 3), EventType.SUCCEEDED);
    assertThat(broken).isNotDone();
  }

  @Test
  void anErrorBeyondThatGivesTheJobBackAndEndsTheWorkerLoudly() throws Exception {
    decoding = new NoClassDefFoundError("a broken installation");
    JobId id = runFrom(blobs.put(new byte[] {1}));
    assertThat(broken.get(30, TimeUnit.SECONDS)).isSameAs(decoding);
    untilQueuedAgain(id);
    assertThat(job(id).errors() + job(id).crashes()).isZero();
  }

  @Test
  void cancelEndsItBeforeTheNextStep() throws Exception {
    JobId id = run("slow", 1, 100);
    engine.slowSteps.release(3);
    until(id, EventType.PROGRESS);
    store.cancel("ann", id);
    passingSteps(id, EventType.CANCELED, 1);
    assertThat(engine.stepsTaken.get()).isLessThan(50);
    assertThat(engine.open).hasValue(0);
  }

  @Test
  void aStoppedWorkerGivesItsJobsBackWithoutBlame() throws Exception {
    JobId id = run("slow", 1, 100);
    engine.slowSteps.release(2);
    until(id, EventType.PROGRESS);
    engine.slowSteps.release(1);
    Thread closing = Thread.ofVirtual().start(worker::close);
    engine.slowSteps.release(1);
    untilQueuedAgain(id);
    closing.join(WAIT_MAX);
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
    assertThat(job(id).errors() + job(id).crashes()).isZero();
    assertThat(engine.closed).isTrue();
  }

  /** Lets so many slow steps pass; the next one waits. */
  private void slowSteps(int count) throws InterruptedException {
    int before = engine.stepsTaken.get();
    engine.slowSteps.release(count);
    await(() -> engine.stepsTaken.get() == before + count);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    CountDownLatch never = new CountDownLatch(1);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
      never.await(5, TimeUnit.MILLISECONDS);
    }
  }

  /** Rows that are being written at the moment are passed over. */
  private void reap(String workerId) throws InterruptedException {
    await(() -> !store.reapWorkers(workerId).isEmpty());
  }

  private boolean isKept(JobId id, int index, int step) {
    byte[] file = kept.get("checkpoint/" + id + "/" + index).orElse(new byte[0]);
    // After the head of 45 bytes.
    return file.length > 49
        && ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(45) == step;
  }

  private static int step(JobEvent event) {
    return Integer.parseInt(event.json().replaceAll(".*\"step\":(\\d+).*", "$1"));
  }

  private List<JobEvent> progress(JobId id, int attempt) {
    return store.events(id, 0, 1000).stream()
        .filter(event -> event.type() == EventType.PROGRESS && event.attempt() == attempt)
        .toList();
  }

  @Test
  void aLostWorkerCostsAtMostTheStepsBetweenTwoCheckpoints() throws Exception {
    JobId id = run("slow", 1, 30);
    slowSteps(10);
    await(() -> isKept(id, 0, 8));
    // As if it had been killed: it says no more, and its engine stands still.
    worker.takeNoMore();
    reap("test-1");
    ScriptedEngine other = new ScriptedEngine();
    other.slowSteps.release(1_000);
    try (Worker second = start("test-2", other)) {
      // The first worker's last poll may swallow a wake-up.
      await(
          () -> {
            transport.offer(new WakeUp(id, ScriptedEngine.MODEL, TierClass.PRIORITY));
            return job(id).attempt() == 2;
          });
      until(id, EventType.SUCCEEDED);
      await(() -> second.jobs() == 0);
    }
    assertThat(other.resumedSteps).hasValue(8);
    assertThat(other.stepsTaken).hasValue(22);
    assertThat(step(progress(id, 2).getFirst())).isGreaterThan(8);
    assertThat(kept.list("checkpoint/" + id + "/")).isEmpty();
  }

  @Test
  void aDrainedWorkerHandsOnWhereItWas() throws Exception {
    JobId id = run("slow", 1, 1_000);
    slowSteps(6);
    Thread draining = Thread.ofVirtual().start(() -> worker.drain(Duration.ZERO));
    untilQueuedAgain(id);
    draining.join(WAIT_MAX);
    int done = engine.stepsTaken.get();
    ScriptedEngine other = new ScriptedEngine();
    other.slowSteps.release(1_000);
    try (Worker second = start("test-2", other)) {
      offer(id);
      until(id, EventType.SUCCEEDED);
      await(() -> second.jobs() == 0);
    }
    assertThat(other.resumedSteps).hasValue(done);
    assertThat(other.stepsTaken).hasValue(1_000 - done);
    assertThat(job(id).errors() + job(id).crashes()).isZero();
  }

  @Test
  void storedPicturesAreNotPaintedAgain() throws Exception {
    engine.memory = 1;
    JobId id = run("slow", 2, 500);
    slowSteps(500);
    until(id, EventType.IMAGE);
    Thread draining = Thread.ofVirtual().start(() -> worker.drain(Duration.ZERO));
    untilQueuedAgain(id);
    draining.join(WAIT_MAX);
    int done = engine.stepsTaken.get();
    ScriptedEngine other = new ScriptedEngine();
    other.slowSteps.release(1_000);
    try (Worker second = start("test-2", other)) {
      offer(id);
      until(id, EventType.SUCCEEDED);
      await(() -> second.jobs() == 0);
    }
    assertThat(job(id).images())
        .extracting(image -> image.index() + ":" + image.seed())
        .containsExactly("0:7", "1:8");
    assertThat(other.stepsTaken).hasValue(1_000 - done);
  }

  @Test
  void arelaxedJobMakesRoomForAnUrgentOneAndGoesOnLater() throws Exception {
    int jobsMax = WorkerConfig.defaults("x").jobsMax();
    List<JobId> relaxed = new ArrayList<>();
    for (int i = 0; i < jobsMax; i++) {
      JobId id = submit("slow", 1, 1_000);
      relaxed.add(id);
      offer(id, TierClass.RELAXED);
      until(id, EventType.STARTED);
    }
    JobId normal = submit("plain", 1, 3);
    offer(normal, TierClass.NORMAL);
    JobId urgent = run("plain", 1, 3);
    // Every look lets a step of the slow ones pass.
    await(
        () -> {
          engine.slowSteps.release(jobsMax);
          return job(urgent).state() == JobState.SUCCEEDED;
        });
    JobId youngest = relaxed.getLast();
    await(() -> job(youngest).state() == JobState.QUEUED);
    assertThat(job(youngest).preemptions()).isEqualTo(1);
    assertThat(job(youngest).errors() + job(youngest).crashes()).isZero();
    assertThat(relaxed.subList(0, jobsMax - 1))
        .allMatch(id -> job(id).preemptions() == 0 && job(id).attempt() == 1);
    offer(youngest, TierClass.RELAXED);
    await(
        () -> {
          engine.slowSteps.release(jobsMax);
          return engine.resumedSteps.get() > 0;
        });
    assertThat(job(youngest).attempt()).isEqualTo(2);
  }

  @Test
  void anOutageOfTheBlobStoreIsWaitedForAndCostsNoAttempt() throws Exception {
    blobs.away = true;
    // More pictures than may wait for the store, so that latents wait, too.
    List<JobId> ids = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ids.add(run("plain", 4, 3));
    }
    await(() -> blobs.refused.get() > StepLoop.PICTURES_PENDING_MAX);
    await(() -> engine.stepsTaken.get() == 3 * 4 * 3);
    blobs.away = false;
    for (JobId id : ids) {
      until(id, EventType.SUCCEEDED);
      assertThat(job(id).attempt()).isEqualTo(1);
      assertThat(job(id).errors()).isZero();
      assertThat(job(id).images()).hasSize(4);
    }
    assertThat(engine.open).hasValue(0);
  }

  @Test
  void aCancelEndsTheWaitForTheBlobStore() throws Exception {
    blobs.away = true;
    JobId id = run("plain", 1, 3);
    await(() -> blobs.refused.get() > 0);
    store.cancel("ann", id);
    until(id, EventType.CANCELED);
    blobs.away = false;
    until(run("plain", 1, 3), EventType.SUCCEEDED);
  }

  @Test
  void afterAnErrorOfTheEngineAJobIsBegunAnew() throws Exception {
    JobId id = run("late defect", 1, 30);
    untilQueuedAgain(id);
    assertThat(job(id).errors()).isEqualTo(1);
    assertThat(kept.list("checkpoint/" + id + "/")).isEmpty();
  }

  @Test
  void aLostLeaseDropsTheResult() throws Exception {
    JobId id = run("slow", 1, 4);
    engine.slowSteps.release(2);
    until(id, EventType.PROGRESS);
    // As if this worker had been silent for too long.
    reap("test-1");
    engine.slowSteps.release(100);
    worker.drain(WAIT_MAX);
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
    assertThat(job(id).images()).isEmpty();
    assertThat(worker.jobs()).isZero();
    assertThat(engine.open).hasValue(0);
  }

  @Test
  void aLostDeviceEndsTheWorkerLoudly() throws Exception {
    JobId id = run("lost", 1, 4);
    assertThat(broken.get(30, TimeUnit.SECONDS)).hasMessage("the device is lost");
    untilQueuedAgain(id);
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
  }

  @Test
  void itsStatusSaysWhatItServesHoldsAndDoes() throws Exception {
    assertThat(worker.status("here", "1").state()).isEqualTo(WorkerState.READY);
    JobId id = run("slow", 1, 4);
    engine.slowSteps.release(2);
    until(id, EventType.PROGRESS);
    WorkerStatus status = worker.status("here", "1");
    assertThat(status.id()).isEqualTo("test-1");
    assertThat(status.device()).isEqualTo("paper");
    assertThat(status.serves()).containsExactly(ScriptedEngine.MODEL);
    assertThat(status.resident()).containsExactly(ScriptedEngine.MODEL);
    assertThat(status.jobs()).isEqualTo(1);
    assertThat(status.stepsPerSecond()).isPositive();
    engine.slowSteps.release(10);
    worker.drain(WAIT_MAX);
    assertThat(worker.status("here", "1").state()).isEqualTo(WorkerState.DRAINING);
  }

  private void untilQueuedAgain(JobId id) throws InterruptedException {
    passingSteps(id, EventType.QUEUED, 2);
  }

  /** Waits for so many events of a type and lets one slow step pass at each look. */
  private void passingSteps(JobId id, EventType type, int times) throws InterruptedException {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    int seen = 0;
    try (EventFeed feed = hub.follow(id, 0)) {
      while (seen < times && System.nanoTime() < deadline) {
        for (JobEvent event : feed.next(Duration.ofMillis(200))) {
          seen += event.type() == type ? 1 : 0;
        }
        engine.slowSteps.release(1);
      }
    }
    assertThat(seen).isEqualTo(times);
  }
}
