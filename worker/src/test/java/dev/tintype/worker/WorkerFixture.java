package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.ephemera.InProcessEphemera;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobSpec;
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
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/**
 * Workers over a real database, with engines that do what their prompts say. Each test has a worker
 * named test-1.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WorkerFixture {
  static final int CHECKPOINT_STEPS = 4;
  static final Duration WAIT_MAX = Duration.ofSeconds(60);

  /** The product's limits without its waits. */
  static final RetryPolicy RETRY =
      new RetryPolicy(
          RetryPolicy.DEFAULT.crashesMax(),
          RetryPolicy.DEFAULT.errorsMax(),
          Duration.ZERO,
          Duration.ZERO);

  private static Path folder;
  private static EmbeddedPostgres server;

  final SecureRandom random = new SecureRandom();
  Database database;
  PostgresSignals signals;
  PostgresJobStore store;
  LiveEventHub hub;
  BlobStoreWithOutages blobs;
  InProcessTransport transport;
  ScriptedEngine engine;
  CompletableFuture<Throwable> broken;
  Worker worker;
  volatile Error decoding;
  InProcessEphemera kept;

  /** One server for all classes of this process. */
  private static synchronized EmbeddedPostgres server() throws IOException {
    if (server == null) {
      folder = Files.createTempDirectory("tintype-worker-");
      server = EmbeddedPostgres.start(folder.resolve("queue"));
      Runtime.getRuntime().addShutdownHook(new Thread(WorkerFixture::stopServer));
      try (Database first = Database.open(server.config())) {
        new PostgresAccountStore(first, new SecureRandom()).createUser("ann", "pro", false);
      }
    }
    return server;
  }

  private static void stopServer() {
    server.close();
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeAll
  void open() throws IOException {
    database = Database.open(server().config());
    signals = PostgresSignals.start(database, random);
    store = new PostgresJobStore(database, signals, RETRY, Clock.systemUTC(), random);
    hub = LiveEventHub.start(store, signals);
    BlobStore directory = new DirectoryBlobStore(folder.resolve("blobs"));
    blobs = new BlobStoreWithOutages(directory);
  }

  @AfterAll
  void closeAll() {
    hub.close();
    store.close();
    signals.close();
    database.close();
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

  static WorkerConfig config(String id) {
    return WorkerConfig.defaults(id).withCheckpointSteps(CHECKPOINT_STEPS);
  }

  Worker start(String id, ScriptedEngine itsEngine) throws Exception {
    return start(config(id), itsEngine);
  }

  Worker start(WorkerConfig config, ScriptedEngine itsEngine) throws Exception {
    Worker fresh =
        new Worker(
            config,
            store,
            transport,
            blobs,
            hub,
            new EphemeraCheckpoints(kept),
            "1",
            itsEngine,
            this::decode,
            broken::complete);
    fresh.start(ScriptedEngine.MODEL).get(WAIT_MAX.toSeconds(), TimeUnit.SECONDS);
    return fresh;
  }

  @AfterEach
  void stop() {
    engine.slowSteps.release(10_000);
    worker.close();
    transport.close();
  }

  Picture decode(byte[] file, int width, int height, int background) throws IOException {
    if (decoding != null) {
      throw decoding;
    }
    return new JdkDecoder().decode(file, width, height, background);
  }

  JobId submit(String prompt, int images, int steps) {
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

  JobId run(String prompt, int images, int steps) {
    JobId id = submit(prompt, images, steps);
    offer(id);
    return id;
  }

  void offer(JobId id) {
    offer(id, TierClass.PRIORITY);
  }

  void offer(JobId id, TierClass tierClass) {
    assertThat(transport.offer(new WakeUp(id, ScriptedEngine.MODEL, tierClass))).isTrue();
  }

  /** All events up to the first of one of these types. */
  List<EventType> until(JobId id, EventType... last) throws InterruptedException {
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

  Job job(JobId id) {
    return store.get(id).orElseThrow();
  }

  /** Lets so many slow steps pass; the next one waits. */
  void slowSteps(int count) throws InterruptedException {
    int before = engine.stepsTaken.get();
    engine.slowSteps.release(count);
    await(() -> engine.stepsTaken.get() == before + count);
  }

  static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    CountDownLatch never = new CountDownLatch(1);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
      never.await(5, TimeUnit.MILLISECONDS);
    }
  }

  /** The engine of another worker, which takes the job and ends it. */
  ScriptedEngine endedByAnother(JobId id) throws Exception {
    ScriptedEngine other = new ScriptedEngine();
    other.slowSteps.release(1_000);
    try (Worker next = start("another", other)) {
      offer(id);
      until(id, EventType.SUCCEEDED);
      await(() -> next.jobs() == 0);
    }
    return other;
  }

  /** Lets a slow step of each of so many pictures pass at each look, some twenty a second. */
  void stepsUntil(BooleanSupplier condition, int pictures) throws InterruptedException {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    CountDownLatch never = new CountDownLatch(1);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
      engine.slowSteps.release(pictures);
      never.await(50, TimeUnit.MILLISECONDS);
    }
  }

  /** Rows that are being written at the moment are passed over. */
  void reap(String workerId) throws InterruptedException {
    await(() -> !store.reapWorkers(workerId).isEmpty());
  }

  void untilQueuedAgain(JobId id) throws InterruptedException {
    passingSteps(id, EventType.QUEUED, 2);
  }

  /** Waits for so many events of a type and lets one slow step pass at each look. */
  void passingSteps(JobId id, EventType type, int times) throws InterruptedException {
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
