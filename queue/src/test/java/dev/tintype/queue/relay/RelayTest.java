package dev.tintype.queue.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.MovableClock;
import dev.tintype.queue.fleet.Workforce;
import dev.tintype.queue.fleet.Workforce.Capacity;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.DispatchStore;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.Renewal;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import dev.tintype.queue.store.TestDatabase;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.Delivery;
import dev.tintype.queue.transport.InProcessTransport;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RelayTest {
  private static final Set<String> MODELS = Set.of("tintype-mini");
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final List<ImageRecord> IMAGES =
      List.of(new ImageRecord(0, "a".repeat(64), 8, 8, 1, 1, Optional.empty()));

  private final MovableClock clock = new MovableClock();
  private TestDatabase db;
  private InProcessTransport transport;

  @BeforeEach
  void open() {
    db = TestDatabase.create();
    transport = new InProcessTransport(100, Duration.ofSeconds(30), Clock.systemUTC());
  }

  @AfterEach
  void close() {
    transport.close();
    db.close();
  }

  private Relay relay(int slots) {
    return new Relay(
        db.store,
        db.accounts::tiers,
        transport,
        pool -> new FairPolicy(db.accounts.tiers(), new Random(1)),
        RelayConfig.DEFAULT,
        Workforce.of(MODELS, () -> slots),
        clock);
  }

  private Optional<Delivery> poll() throws InterruptedException {
    return transport.poll(MODELS, Duration.ZERO);
  }

  /** Their wake-ups would lie in the transport for ever, until no other fitted in. */
  @Test
  void jobsOfAModelThatNobodyPaintsWithStayOutOfTheTransport() throws Exception {
    for (int i = 0; i < 10; i++) {
      JobSpec other = JobSpec.builder("another-model", "a red sun").seed(i).build();
      db.store.submit(SubmitRequest.plain("pam", "pro", other, "other" + i, 100));
    }
    Job served = db.submit("pam");
    Relay relay = relay(3);
    assertThat(relay.tick()).isEqualTo(1);
    assertThat(poll().orElseThrow().wakeUp().jobId()).isEqualTo(served.id());
  }

  private Relay relay(Supplier<Capacity> workforce) {
    return new Relay(
        db.store,
        db.accounts::tiers,
        transport,
        pool -> new FairPolicy(db.accounts.tiers(), new Random(1)),
        RelayConfig.DEFAULT,
        () -> Map.of(Tier.SHARED, workforce.get()),
        clock);
  }

  private void submit(String model, int jobs) {
    for (int i = 0; i < jobs; i++) {
      JobSpec spec = JobSpec.builder(model, "a red sun").seed(i).build();
      db.store.submit(SubmitRequest.plain("pam", "pro", spec, model + i, 100));
    }
  }

  @Test
  void anUrgentWakeUpThatNobodyTakesAsksARunningRelaxedJobForRoom() throws Exception {
    JobSpec slow = JobSpec.builder("tintype-mini", "a red sun").seed(1).build();
    db.store.submit(SubmitRequest.plain("bob", "free", slow, "slow", 100));
    Relay relay = relay(1);
    relay.tick();
    Lease relaxed = db.store.lease(poll().orElseThrow().wakeUp().jobId(), "w", LEASE).orElseThrow();
    db.store.start(relaxed);
    Job urgent = db.submit("pam");
    relay.tick();
    assertThat(roomFor(relaxed)).isEmpty();
    clock.advance(UrgentSent.PATIENCE);
    relay.tick();
    assertThat(roomFor(relaxed)).contains(urgent.id());
  }

  private Optional<JobId> roomFor(Lease lease) {
    return ((Renewal.Held) db.store.renew(lease, LEASE)).roomFor();
  }

  /** Its workers are silent, and not yet known to be: the others' work goes on. */
  @Test
  void aModelWhoseWakeUpsNobodyTakesDoesNotFillTheTransport() throws Exception {
    submit("stuck", 12);
    submit("tintype-mini", 12);
    Relay relay = relay(() -> new Capacity(3, Map.of("stuck", 1, "tintype-mini", 2)));
    assertThat(relay.tick()).isEqualTo(6);
    assertThat(transport.depths(Set.of("stuck", "tintype-mini")))
        .isEqualTo(Map.of("stuck", 2, "tintype-mini", 4));
    int done = 0;
    for (int round = 0; round < 12; round++) {
      for (Optional<Delivery> next = poll(); next.isPresent(); next = poll()) {
        Lease lease = db.store.lease(next.get().wakeUp().jobId(), "w", LEASE).orElseThrow();
        next.get().ack();
        db.store.start(lease);
        done += db.store.finish(lease, IMAGES) ? 1 : 0;
      }
      relay.tick();
    }
    assertThat(done).isEqualTo(12);
    assertThat(transport.depths(Set.of("stuck"))).isEqualTo(Map.of("stuck", 2));
  }

  @Test
  void aModelThatLostItsLastWorkerWaitsInTheStoreAndTheOthersGoOn() throws Exception {
    submit("gone", 10);
    submit("tintype-mini", 3);
    Map<String, Integer> workers = new HashMap<>(Map.of("gone", 2));
    Relay relay = relay(() -> new Capacity(2, workers));
    assertThat(relay.tick()).isEqualTo(4);
    workers.clear();
    assertThat(relay.tick()).isZero();
    assertThat(db.store.queuedByModel()).isEqualTo(Map.of("gone", 10L, "tintype-mini", 3L));
    workers.put("tintype-mini", 2);
    assertThat(relay.tick()).isEqualTo(3);
    workers.put("gone", 2);
    assertThat(poll().orElseThrow().wakeUp().model()).isEqualTo("tintype-mini");
    assertThat(relay.tick()).isZero(); // Its wake-ups of before still lie there.
  }

  /** One worker with two models: what it can hold counts once. */
  @Test
  void modelsThatShareAWorkerShareItsRoom() {
    submit("a", 20);
    submit("b", 20);
    Relay relay = relay(() -> new Capacity(4, Map.of("a", 4, "b", 4)));
    assertThat(relay.tick()).isEqualTo(8);
    assertThat(transport.depth()).isEqualTo(8);
  }

  @Test
  void theTransportIsKeptShallow() throws Exception {
    IntStream.range(0, 30).forEach(i -> db.submit("pam"));
    Relay relay = relay(3);
    assertThat(relay.tick()).isEqualTo(6);
    assertThat(transport.depth()).isEqualTo(6);
    assertThat(relay.tick()).isZero();
    poll().orElseThrow().ack();
    assertThat(relay.tick()).isEqualTo(1);
  }

  @Test
  void aJobIsPublishedOnceUntilItsClaimLapses() throws Exception {
    Job job = db.submit("pam");
    Relay relay = relay(4);
    assertThat(relay.tick()).isEqualTo(1);
    poll().orElseThrow().ack();
    assertThat(relay.tick()).isZero();
    db.clockAhead(RelayConfig.DEFAULT.claimTime().plusSeconds(1));
    assertThat(relay.tick()).isEqualTo(1);
    assertThat(poll().orElseThrow().wakeUp().jobId()).isEqualTo(job.id());
  }

  @Test
  void aTierThatIsMadeMeanwhileIsServed() throws Exception {
    Relay relay = relay(4);
    relay.tick();
    db.administration.putTier(
        new Tier("night", 1, Duration.ofHours(9), 9, 9, Duration.ofDays(1), TierClass.RELAXED));
    db.store.submit(SubmitRequest.plain("bob", "night", TestDatabase.spec(1), "b", 100));
    assertThat(relay.tick()).isZero();
    clock.advance(Duration.ofSeconds(61));
    relay.tick(); // learns of it at the end
    assertThat(relay.tick()).isEqualTo(1);
    assertThat(poll().orElseThrow().wakeUp().tierClass()).isEqualTo(TierClass.RELAXED);
  }

  /** A worker makes room for urgent jobs; mode relax is not one, whatever the tier. */
  @Test
  void modeRelaxTravelsInTheRelaxedLane() throws Exception {
    SubmitRequest request = SubmitRequest.plain("pam", "pro", TestDatabase.spec(1), "r", 100);
    db.store.submit(request.withMode(JobMode.RELAX));
    assertThat(relay(4).tick()).isEqualTo(1);
    assertThat(poll().orElseThrow().wakeUp().tierClass()).isEqualTo(TierClass.RELAXED);
  }

  @Test
  void twoRelaysPublishEachJobOnce() throws Exception {
    Set<JobId> submitted = new HashSet<>();
    IntStream.range(0, 30).forEach(i -> submitted.add(db.submit("pam").id()));
    Relay one = relay(40);
    Relay two = relay(40);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> first = threads.submit(one::tick);
      Future<Integer> second = threads.submit(two::tick);
      assertThat(first.get() + second.get()).isEqualTo(30);
    }
    List<JobId> published = new ArrayList<>();
    for (Optional<Delivery> next = poll(); next.isPresent(); next = poll()) {
      published.add(next.get().wakeUp().jobId());
    }
    assertThat(published).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(submitted);
  }

  @Test
  void aUserRunsNoMoreJobsAtATimeThanTheTierAllows() throws Exception {
    for (int i = 0; i < 5; i++) {
      db.store.submit(SubmitRequest.plain("bob", "free", TestDatabase.spec(i), "b" + i, 100));
    }
    Relay relay = relay(10);
    assertThat(relay.tick()).isEqualTo(1);
    Lease lease = db.store.lease(poll().orElseThrow().wakeUp().jobId(), "w", LEASE).orElseThrow();
    assertThat(relay.tick()).isZero();
    db.store.start(lease);
    db.store.finish(lease, IMAGES);
    assertThat(relay.tick()).isEqualTo(1);
  }

  @Test
  void aFullTransportGivesTheClaimsBack() throws Exception {
    transport.close();
    transport = new InProcessTransport(2, Duration.ofSeconds(30), Clock.systemUTC());
    IntStream.range(0, 5).forEach(i -> db.submit("pam"));
    Relay relay = relay(10);
    assertThat(relay.tick()).isEqualTo(2);
    poll().orElseThrow().ack();
    poll().orElseThrow().ack();
    assertThat(relay.tick()).isEqualTo(2);
  }

  @Test
  void lapsedLeasesAreReapedByTheWay() {
    Job job = db.submit("pam");
    db.store.lease(job.id(), "w", LEASE).orElseThrow();
    db.clockAhead(Duration.ofSeconds(16));
    relay(1).tick();
    assertThat(db.store.get(job.id()).orElseThrow().state()).isEqualTo(JobState.QUEUED);
  }

  @Test
  void aDatabaseClockThatIsSetAheadEndsNoLeaseOfTheLiving() {
    Job silent = db.submit("pam");
    db.store.lease(silent.id(), "silent", LEASE).orElseThrow();
    Lease living = db.store.lease(db.submit("pam").id(), "living", LEASE).orElseThrow();
    Relay relay = relay(1);
    relay.tick();
    db.clockAhead(Duration.ofHours(1));
    clock.advance(RelayConfig.DEFAULT.reapEvery());
    relay.tick();
    assertThat(db.store.renew(living, LEASE)).isInstanceOf(Renewal.Held.class);
    clock.advance(RelayConfig.DEFAULT.reapGrace());
    relay.tick();
    assertThat(db.store.renew(living, LEASE)).isInstanceOf(Renewal.Held.class);
    assertThat(db.store.get(silent.id()).orElseThrow().state()).isEqualTo(JobState.QUEUED);
  }

  @Test
  void aDatabaseClockThatIsSetBackKeepsNoJobWaiting() throws Exception {
    db.clockAhead(Duration.ofHours(1));
    Job silent = db.submit("pam");
    Lease lost = db.store.lease(silent.id(), "silent", LEASE).orElseThrow();
    Job claimed = db.submit("pam");
    Relay relay = relay(1);
    assertThat(relay.tick()).isEqualTo(1);
    poll().orElseThrow().ack();

    db.clockAhead(Duration.ZERO);
    clock.advance(RelayConfig.DEFAULT.reapEvery());
    assertThat(relay.tick()).isZero();
    Duration later = DispatchStore.WAIT_MAX.plusSeconds(60);
    db.clockAhead(later);
    clock.advance(later);
    assertThat(relay.tick()).isPositive();
    assertThat(poll().orElseThrow().wakeUp().jobId()).isEqualTo(claimed.id());
    assertThat(db.store.renew(lost, LEASE)).isInstanceOf(Renewal.Lost.class);
    assertThat(db.store.get(silent.id()).orElseThrow().state()).isEqualTo(JobState.QUEUED);
  }

  @Test
  void aFormerRunsClaimsAndLeasesCanBeTakenOver() throws Exception {
    db.submit("pam");
    Job leased = db.submit("pam");
    db.store.lease(leased.id(), "alone-1", LEASE).orElseThrow();
    assertThat(relay(4).tick()).isEqualTo(1);
    transport.close();
    transport = new InProcessTransport(100, Duration.ofSeconds(30), Clock.systemUTC());
    assertThat(relay(4).tick()).isZero();
    assertThat(db.store.reapWorkers("alone-")).hasSize(1);
    db.store.endClaims();
    db.clockAhead(Duration.ofSeconds(2));
    assertThat(relay(4).tick()).isEqualTo(2);
  }

  @Test
  void aRunningRelayFeedsWorkersBySignal() throws Exception {
    try (Relay relay = relay(2).start(db.signals);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> worker = threads.submit(() -> work(40));
      IntStream.range(0, 40).forEach(i -> db.submit("pam"));
      assertThat(worker.get()).isEqualTo(40);
      assertThat(db.store.load()).noneMatch(group -> group.state() == JobState.QUEUED);
    }
  }

  private int work(int jobs) throws InterruptedException {
    int done = 0;
    while (done < jobs) {
      Delivery delivery = transport.poll(MODELS, Duration.ofSeconds(20)).orElseThrow();
      Optional<Lease> lease = db.store.lease(delivery.wakeUp().jobId(), "w", LEASE);
      delivery.ack();
      if (lease.isPresent()) {
        db.store.start(lease.get());
        done += db.store.finish(lease.get(), IMAGES) ? 1 : 0;
      }
    }
    return done;
  }

  private static final Capacity TWO = new Capacity(2, Map.of("tintype-mini", 2));

  /** Over workers of a pool of its own, and shared ones. */
  private Relay relayOfPools() {
    return new Relay(
        db.store,
        db.accounts::tiers,
        transport,
        pool -> new FairPolicy(db.accounts.tiers(), new Random(1)),
        RelayConfig.DEFAULT,
        () -> Map.of("gold", TWO, Tier.SHARED, TWO),
        clock);
  }

  private void tierInPool(boolean spills) {
    Tier pro =
        db.accounts.tiers().stream()
            .filter(one -> one.name().equals("pro"))
            .findFirst()
            .orElseThrow();
    db.administration.putTier(pro.inPool("gold", spills));
  }

  private Set<JobId> submitted(String user, String tier, int jobs) {
    Set<JobId> ids = new HashSet<>();
    for (int i = 0; i < jobs; i++) {
      SubmitRequest request = SubmitRequest.plain(user, tier, TestDatabase.spec(i), tier + i, 100);
      ids.add(((SubmitResult.Accepted) db.store.submit(request)).job().id());
    }
    return ids;
  }

  private Set<JobId> sent(String pool) throws InterruptedException {
    Set<JobId> sent = new HashSet<>();
    Optional<Delivery> next = transport.poll(pool, MODELS, Duration.ZERO);
    while (next.isPresent()) {
      sent.add(next.get().wakeUp().jobId());
      next = transport.poll(pool, MODELS, Duration.ZERO);
    }
    return sent;
  }

  @Test
  void aTierWithAPoolGoesThereAloneAndNobodyElseDoes() throws Exception {
    tierInPool(false);
    Set<JobId> gold = submitted("pam", "pro", 9);
    Set<JobId> others = submitted("ann", "enterprise", 9);
    Relay relay = relayOfPools();
    assertThat(relay.tick()).isEqualTo(8);
    assertThat(sent("gold")).hasSize(4).isSubsetOf(gold);
    assertThat(sent(Tier.SHARED)).hasSize(4).isSubsetOf(others);
  }

  @Test
  void aTierThatSpillsHasItsPoolFirstAndThenItsPartOfTheOthers() throws Exception {
    tierInPool(true);
    Set<JobId> gold = submitted("pam", "pro", 9);
    Relay relay = relayOfPools();
    assertThat(relay.tick()).isEqualTo(8);
    Set<JobId> first = sent("gold");
    assertThat(first).hasSize(4).isSubsetOf(gold);
    assertThat(sent(Tier.SHARED)).hasSize(4).isSubsetOf(gold).doesNotContainAnyElementsOf(first);
  }
}
