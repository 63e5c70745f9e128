package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.blob.DirectoryBlobStore;
import dev.tintype.queue.embedded.EmbeddedPostgres;
import dev.tintype.queue.ephemera.RedisConfig;
import dev.tintype.queue.ephemera.RedisEphemera;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.relay.FairPolicy;
import dev.tintype.queue.relay.Relay;
import dev.tintype.queue.relay.RelayConfig;
import dev.tintype.queue.store.Database;
import dev.tintype.queue.store.LiveEventHub;
import dev.tintype.queue.store.PostgresAccountStore;
import dev.tintype.queue.store.PostgresJobStore;
import dev.tintype.queue.store.PostgresSignals;
import dev.tintype.queue.store.RetryPolicy;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import dev.tintype.queue.transport.KafkaConfig;
import dev.tintype.queue.transport.KafkaTransport;
import dev.tintype.servers.ChildProcess;
import dev.tintype.servers.FreePorts;
import dev.tintype.servers.KafkaServer;
import dev.tintype.servers.RedisServer;
import dev.tintype.worker.checkpoint.EphemeraCheckpoints;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two workers and a relay that share PostgreSQL, Kafka, Redis and blobs, and nothing else. */
@Tag("slow")
@Timeout(300)
class FleetPreemptionTest {
  private static final int STEPS = 1_000;
  private static final Duration WAIT_MAX = Duration.ofSeconds(90);

  @TempDir Path folder;
  private final SecureRandom random = new SecureRandom();
  private ChildProcess kafka;
  private ChildProcess redis;
  private EmbeddedPostgres postgres;
  private String bootstrap;
  private String redisUrl;
  private BlobStore blobs;
  private Member first;
  private Member second;
  private Member relaying;
  private Relay relay;

  /** What one process has of its own. */
  private final class Member implements AutoCloseable {
    private final Database database = Database.open(postgres.config());
    private final PostgresSignals signals = PostgresSignals.start(database, random);
    private final PostgresJobStore store =
        new PostgresJobStore(database, signals, RetryPolicy.DEFAULT, Clock.systemUTC(), random);
    private final LiveEventHub hub = LiveEventHub.start(store, signals);
    private final KafkaTransport transport =
        new KafkaTransport(
            new KafkaConfig(
                bootstrap, "test", 1, Duration.ofSeconds(30), Duration.ofSeconds(30), Map.of()));
    private final RedisEphemera ephemera =
        new RedisEphemera(
            new RedisConfig(redisUrl, Optional.empty(), "test:", Duration.ofSeconds(30)));
    private final ScriptedEngine engine = new ScriptedEngine();
    private Worker worker;

    Member work(String id) throws Exception {
      worker =
          new Worker(
              WorkerConfig.defaults(id).withJobsMax(1),
              store,
              transport,
              blobs,
              hub,
              new EphemeraCheckpoints(ephemera),
              "1",
              engine,
              error -> {});
      worker.start(ScriptedEngine.MODEL).get(WAIT_MAX.toSeconds(), TimeUnit.SECONDS);
      return this;
    }

    @Override
    public void close() {
      engine.slowSteps.release(100 * STEPS);
      if (worker != null) {
        worker.close();
      }
      transport.close();
      ephemera.close();
      hub.close();
      signals.close();
      database.close();
    }
  }

  @BeforeEach
  void open() throws Exception {
    List<Integer> ports = FreePorts.several(3);
    bootstrap = "127.0.0.1:" + ports.get(0);
    redisUrl = "redis://127.0.0.1:" + ports.get(2);
    kafka =
        KafkaServer.of("kafka", folder.resolve("kafka"), ports.get(0), ports.get(1), Map.of())
            .start();
    redis = RedisServer.of("redis", folder.resolve("redis"), ports.get(2), 64).start();
    postgres = EmbeddedPostgres.start(folder.resolve("postgres"));
    blobs = new DirectoryBlobStore(folder.resolve("blobs"));
    kafka.awaitReady();
    redis.awaitReady();
    relaying = new Member();
    PostgresAccountStore accounts = new PostgresAccountStore(relaying.database, random);
    accounts.createUser("ann", "pro", false);
    first = new Member().work("first");
    second = new Member().work("second");
    relay =
        new Relay(
                relaying.store,
                accounts::tiers,
                relaying.transport,
                pool -> new FairPolicy(accounts.tiers(), random),
                RelayConfig.DEFAULT,
                Workforce.of(Set.of(ScriptedEngine.MODEL), () -> 2),
                Clock.systemUTC())
            .start(relaying.signals);
  }

  @AfterEach
  void close() {
    first.close();
    second.close();
    relay.close();
    relaying.close();
    postgres.close();
    redis.close();
    kafka.close();
  }

  private JobId submit(JobMode mode, long seed) {
    JobSpec spec =
        JobSpec.builder(ScriptedEngine.MODEL, "slow").size(8, 8).steps(STEPS).seed(seed).build();
    SubmitRequest request =
        SubmitRequest.plain("ann", "pro", spec, Long.toString(random.nextLong()), 1_000)
            .withMode(mode);
    return ((SubmitResult.Accepted) relaying.store.submit(request)).job().id();
  }

  private Job job(JobId id) {
    return relaying.store.get(id).orElseThrow();
  }

  private boolean is(JobId id, JobState state) {
    return job(id).state() == state;
  }

  private static void await(BooleanSupplier condition, Runnable meanwhile) throws Exception {
    long deadline = System.nanoTime() + WAIT_MAX.toNanos();
    CountDownLatch never = new CountDownLatch(1);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
      meanwhile.run();
      never.await(100, TimeUnit.MILLISECONDS);
    }
  }

  private static void await(BooleanSupplier condition) throws Exception {
    await(condition, () -> {});
  }

  private void someSteps() {
    first.engine.slowSteps.release(1);
    second.engine.slowSteps.release(1);
  }

  @Test
  void aRelaxedJobMakesRoomOnOneWorkerAndGoesOnAtTheOtherToTheSameBytes() throws Exception {
    JobId one = submit(JobMode.RELAX, 1);
    JobId two = submit(JobMode.RELAX, 2);
    await(() -> is(one, JobState.RUNNING) && is(two, JobState.RUNNING), this::someSteps);
    JobId urgent = submit(JobMode.NORMAL, 3);
    await(() -> is(urgent, JobState.RUNNING) && worker(urgent).worker.jobs() == 1, this::someSteps);
    Member left = worker(urgent);
    Member other = left == first ? second : first;
    JobId moved = job(one).preemptions() == 1 ? one : two;
    assertThat(job(one).preemptions() + job(two).preemptions()).isEqualTo(1);
    assertThat(is(moved, JobState.QUEUED)).isTrue();

    // The urgent one stands still; the other worker ends its own job and takes the one that moved.
    other.engine.slowSteps.release(3 * STEPS);
    await(() -> is(moved, JobState.SUCCEEDED));
    assertThat(worker(moved)).isSameAs(other);
    assertThat(other.engine.resumedSteps.get()).isPositive();
    assertThat(job(moved).attempt()).isEqualTo(2);
    assertThat(job(moved).crashes() + job(moved).errors()).isZero();
    JobId undisturbed = submit(JobMode.NORMAL, job(moved).spec().seed());
    await(() -> is(undisturbed, JobState.SUCCEEDED));
    assertThat(job(moved).images().getFirst().sha256())
        .isEqualTo(job(undisturbed).images().getFirst().sha256());

    left.engine.slowSteps.release(STEPS);
    await(() -> is(urgent, JobState.SUCCEEDED));
    assertThat(job(urgent).attempt()).isEqualTo(1);
  }

  private Member worker(JobId id) {
    return job(id).worker().orElseThrow().equals("first") ? first : second;
  }
}
