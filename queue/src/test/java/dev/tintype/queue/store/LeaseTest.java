package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.NewEvent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LeaseTest {
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final List<ImageRecord> IMAGES =
      List.of(
          new ImageRecord(
              0, "a".repeat(64), 512, 512, 7, 1000, Optional.of("3OcRJYB4d3h/iIeHeEh3eIhw+j2w")));

  private TestDatabase db;

  /** Each lease is another worker's, since one that crashed a job does not get it back at once. */
  private int workers;

  @BeforeEach
  void open() {
    db = TestDatabase.create();
  }

  @AfterEach
  void close() {
    db.close();
  }

  private Lease lease(JobId id) {
    return db.store.lease(id, "worker-" + ++workers, LEASE).orElseThrow();
  }

  private Lease running(JobId id) {
    Lease lease = lease(id);
    assertThat(db.store.start(lease)).isTrue();
    return lease;
  }

  private Job get(JobId id) {
    return db.store.get(id).orElseThrow();
  }

  private List<EventType> log(JobId id) {
    return db.store.events(id, 0, 1000).stream().map(JobEvent::type).toList();
  }

  @Test
  void aJobGoesFromSubmissionToItsPictures() {
    Job job = db.submit("ann");
    Lease lease = running(job.id());
    assertThat(lease.attempt()).isEqualTo(1);
    assertThat(lease.until()).isAfter(job.createdAt());
    assertThat(
            db.store.appendEvents(lease, List.of(NewEvent.progress(1, 2), NewEvent.progress(2, 2))))
        .isTrue();
    assertThat(db.store.finish(lease, IMAGES)).isTrue();

    Job done = get(job.id());
    assertThat(done.state()).isEqualTo(JobState.SUCCEEDED);
    assertThat(done.images()).isEqualTo(IMAGES);
    assertThat(done.startedAt()).isPresent();
    assertThat(done.finishedAt()).isPresent();
    assertThat(log(job.id()))
        .containsExactly(
            EventType.QUEUED,
            EventType.LEASED,
            EventType.STARTED,
            EventType.PROGRESS,
            EventType.PROGRESS,
            EventType.SUCCEEDED);
    List<JobEvent> events = db.store.events(job.id(), 0, 1000);
    assertThat(events.stream().map(JobEvent::seq))
        .containsExactlyElementsOf(LongStream.rangeClosed(1, 6).boxed().toList());
    assertThat(events.get(4).json()).isEqualTo("{\"step\":2,\"steps\":2}");
    assertThat(db.store.events(job.id(), 4, 1)).containsExactly(events.get(4));
    assertThat(done.lastSeq()).isEqualTo(6);
  }

  @Test
  void ofManyLeasersOneWins() throws Exception {
    Job job = db.submit("ann");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Optional<Lease>>> tries =
          IntStream.range(0, 20)
              .<Callable<Optional<Lease>>>mapToObj(
                  i -> () -> db.store.lease(job.id(), "worker-" + i, LEASE))
              .toList();
      int wins = 0;
      for (Future<Optional<Lease>> result : threads.invokeAll(tries)) {
        wins += result.get().isPresent() ? 1 : 0;
      }
      assertThat(wins).isEqualTo(1);
    }
    assertThat(get(job.id()).attempt()).isEqualTo(1);
  }

  @Test
  void aStaleFenceWritesNothing() {
    Job job = db.submit("ann");
    Lease stale = running(job.id());
    db.clockAhead(Duration.ofSeconds(16));
    assertThat(db.store.reapLapsed(100)).extracting(Job::id).contains(job.id());
    db.clockAhead(Duration.ofSeconds(120));
    Lease fresh = running(job.id());
    assertThat(fresh.attempt()).isEqualTo(2);
    long seq = get(job.id()).lastSeq();

    assertThat(db.store.start(stale)).isFalse();
    assertThat(db.store.appendEvents(stale, List.of(NewEvent.progress(1, 2)))).isFalse();
    assertThat(db.store.finish(stale, IMAGES)).isFalse();
    assertThat(db.store.fail(stale, new JobFailure("x", "y", true))).isEmpty();
    assertThat(db.store.finishCanceled(stale)).isFalse();
    assertThat(db.store.release(stale)).isFalse();
    assertThat(db.store.renew(stale, LEASE)).isInstanceOf(Renewal.Lost.class);
    assertThat(get(job.id()).lastSeq()).isEqualTo(seq);
    assertThat(get(job.id()).state()).isEqualTo(JobState.RUNNING);

    assertThat(db.store.finish(fresh, IMAGES)).isTrue();
    assertThat(db.store.finish(fresh, IMAGES)).isFalse();
    assertThat(get(job.id()).images()).hasSize(1);
  }

  @Test
  void aLapsedLeaseReturnsTheJobWithBackoff() {
    Job job = db.submit("ann");
    running(job.id());
    assertThat(db.store.reapLapsed(100)).isEmpty();
    db.clockAhead(Duration.ofSeconds(16));
    assertThat(db.store.reapLapsed(100))
        .singleElement()
        .satisfies(lapsed -> assertThat(lapsed.crashes()).isEqualTo(1));
    assertThat(get(job.id()).state()).isEqualTo(JobState.QUEUED);
    assertThat(ready()).doesNotContain(job.id());
    db.clockAhead(Duration.ofSeconds(18));
    assertThat(ready()).contains(job.id());
    assertThat(log(job.id())).endsWith(EventType.STARTED, EventType.QUEUED);
  }

  private List<JobId> ready() {
    return db.store.ready("pro", Set.of("tintype-mini"), Optional.empty(), 100, 100).jobs().stream()
        .map(ReadyJob::id)
        .toList();
  }

  @Test
  void aRenewedLeaseDoesNotLapse() {
    Job job = db.submit("ann");
    Lease lease = running(job.id());
    db.clockAhead(Duration.ofSeconds(14));
    assertThat(db.store.renew(lease, LEASE))
        .isInstanceOfSatisfying(
            Renewal.Held.class, held -> assertThat(held.cancelRequested()).isFalse());
    db.clockAhead(Duration.ofSeconds(28));
    assertThat(db.store.reapLapsed(100)).isEmpty();
    assertThat(db.store.finish(lease, IMAGES)).isTrue();
  }

  @Test
  void theThirdCrashKills() {
    Job job = db.submit("ann");
    for (int crash = 1; crash <= 3; crash++) {
      running(job.id());
      db.clockAhead(Duration.ofMinutes(5L * crash));
      db.store.reapLapsed(100);
    }
    Job dead = get(job.id());
    assertThat(dead.state()).isEqualTo(JobState.DEAD);
    assertThat(dead.crashes()).isEqualTo(3);
    assertThat(dead.errors()).isZero();
    assertThat(dead.failure())
        .hasValueSatisfying(failure -> assertThat(failure.code()).isEqualTo("job.crashes"));
    assertThat(db.store.dead(Optional.empty(), 10)).extracting(Job::id).contains(job.id());

    assertThat(db.store.redrive(job.id())).isTrue();
    assertThat(db.store.redrive(job.id())).isFalse();
    assertThat(db.store.finish(running(job.id()), IMAGES)).isTrue();
    assertThat(get(job.id()).failure()).isEmpty();
    assertThat(get(job.id()).attempt()).isEqualTo(4);
  }

  @Test
  void theFifthErrorKillsAndCrashesDoNotCountAsErrors() {
    Job job = db.submit("ann");
    JobFailure flaky = new JobFailure("blob.io", "the disk is slow", true);
    running(job.id());
    db.clockAhead(Duration.ofMinutes(5));
    db.store.reapLapsed(100);
    for (int error = 1; error <= 4; error++) {
      db.clockAhead(Duration.ofMinutes(5 + 5L * error));
      assertThat(db.store.fail(running(job.id()), flaky)).contains(JobState.QUEUED);
    }
    db.clockAhead(Duration.ofMinutes(60));
    assertThat(db.store.fail(running(job.id()), flaky)).contains(JobState.DEAD);
    assertThat(get(job.id()).crashes()).isEqualTo(1);
    assertThat(get(job.id()).errors()).isEqualTo(5);
    assertThat(get(job.id()).failure()).contains(flaky);
  }

  @Test
  void anErrorThatCannotGoAwayFailsAtOnce() {
    Job job = db.submit("ann");
    JobFailure failure = new JobFailure("model.missing", "no such model", false);
    assertThat(db.store.fail(running(job.id()), failure)).contains(JobState.FAILED);
    assertThat(log(job.id())).endsWith(EventType.FAILED);
    assertThat(get(job.id()).failure()).contains(failure);
  }

  @Test
  void aReleasedJobIsReadyAtOnceWithoutBlame() {
    Job job = db.submit("ann");
    assertThat(db.store.release(running(job.id()))).isTrue();
    assertThat(ready()).contains(job.id());
    assertThat(get(job.id()).crashes()).isZero();
  }

  @Test
  void aPreemptedJobIsReadyAtOnceWithoutBlameAndCountsIt() {
    Job job = db.submit("ann");
    Lease lease = running(job.id());
    assertThat(db.store.preempt(lease)).isTrue();
    assertThat(db.store.preempt(lease)).isFalse();
    assertThat(ready()).contains(job.id());
    assertThat(get(job.id()).preemptions()).isEqualTo(1);
    assertThat(get(job.id()).crashes() + get(job.id()).errors()).isZero();
    assertThat(db.store.events(job.id(), 0, 100).getLast().json()).contains("preempt");
  }

  @Test
  void theWorkersOfAFormerRunAreReapedAtOnce() {
    Job mine = db.submit("ann");
    Job other = db.submit("ann");
    db.store.lease(mine.id(), "alone-1", LEASE).orElseThrow();
    db.store.lease(other.id(), "fleet-1", LEASE).orElseThrow();
    Job published = db.submit("ann");
    assertThat(db.store.claim(List.of(published.id()), Duration.ofMinutes(5))).hasSize(1);
    assertThat(db.store.reapWorkers("alone-")).extracting(Job::id).containsExactly(mine.id());
    assertThat(get(other.id()).state()).isEqualTo(JobState.LEASED);
    assertThat(ready()).as("another relay's claim stands").doesNotContain(published.id());
    db.store.endClaims();
    assertThat(ready()).contains(published.id());
  }

  @Test
  void aJobIsKeptFromTheNodeThatItCrashedOnWhateverProcessRunsThereNow() {
    Job job = db.submit("ann");
    db.store.lease(job.id(), "node-a#10", LEASE).orElseThrow();
    assertThat(db.store.reapWorkers("node-a#")).hasSize(1);
    assertThat(db.store.lease(job.id(), "node-a#11", LEASE)).isEmpty();
    Lease elsewhere = db.store.lease(job.id(), "node-b#7", LEASE).orElseThrow();
    db.store.release(elsewhere);
    // Alone there is no other node to wait for.
    db.store.endClaims();
    assertThat(db.store.lease(job.id(), "node-a#12", LEASE)).isPresent();
  }

  @Test
  void cancelEndsAQueuedJobAndAsksTheWorkerOfARunningOne() {
    Job queued = db.submit("ann");
    assertThat(db.store.cancel("bob", queued.id())).isEqualTo(CancelResult.NOT_FOUND);
    assertThat(db.store.cancel("ann", queued.id())).isEqualTo(CancelResult.CANCELED);
    assertThat(db.store.cancel("ann", queued.id())).isEqualTo(CancelResult.ALREADY_ENDED);
    assertThat(db.store.lease(queued.id(), "worker-1", LEASE)).isEmpty();

    Job job = db.submit("ann");
    Lease lease = running(job.id());
    assertThat(db.store.finishCanceled(lease)).isFalse();
    assertThat(db.store.cancel("ann", job.id())).isEqualTo(CancelResult.REQUESTED);
    assertThat(db.store.cancel("ann", job.id())).isEqualTo(CancelResult.REQUESTED);
    assertThat(db.store.renew(lease, LEASE))
        .isInstanceOfSatisfying(
            Renewal.Held.class, held -> assertThat(held.cancelRequested()).isTrue());
    assertThat(db.store.finishCanceled(lease)).isTrue();
    assertThat(log(job.id()))
        .endsWith(EventType.STARTED, EventType.CANCEL_REQUESTED, EventType.CANCELED);
  }

  @Test
  void aCanceledJobWhoseWorkerDiesIsCanceled() {
    Job job = db.submit("ann");
    running(job.id());
    db.store.cancel("ann", job.id());
    db.clockAhead(Duration.ofSeconds(16));
    db.store.reapLapsed(100);
    assertThat(get(job.id()).state()).isEqualTo(JobState.CANCELED);
  }

  @Test
  void aDeadlineEndsWaitingAndRunningJobs() {
    SubmitRequest plain = SubmitRequest.plain("ann", "pro", TestDatabase.spec(1), "body", 100);
    SubmitRequest timed =
        new SubmitRequest(
            plain.userId(),
            plain.tier(),
            plain.spec(),
            Optional.empty(),
            "body",
            false,
            Optional.of(Duration.ofSeconds(30)),
            100);
    Job waiting = ((SubmitResult.Accepted) db.store.submit(timed)).job();
    Job runs = ((SubmitResult.Accepted) db.store.submit(timed)).job();
    Lease lease = running(runs.id());
    assertThat(db.store.expireDue(100)).isEmpty();
    db.clockAhead(Duration.ofSeconds(31));
    assertThat(db.store.lease(waiting.id(), "worker-1", LEASE)).isEmpty();
    assertThat(db.store.expireDue(100))
        .extracting(Job::state)
        .containsExactly(JobState.EXPIRED, JobState.EXPIRED);
    assertThat(db.store.finish(lease, IMAGES)).isFalse();
    assertThat(db.store.renew(lease, LEASE)).isInstanceOf(Renewal.Lost.class);
  }

  @Test
  void aCrashedWorkerDoesNotGetTheJobBackAtOnce() {
    Job job = db.submit("ann");
    running(job.id());
    db.clockAhead(Duration.ofSeconds(16));
    db.store.reapLapsed(100);
    db.clockAhead(Duration.ofSeconds(18));
    assertThat(db.store.claim(List.of(job.id()), Duration.ofMinutes(5))).hasSize(1);
    assertThat(db.store.lease(job.id(), "worker-1", LEASE)).isEmpty();
    assertThat(ready()).doesNotContain(job.id());
    db.clockAhead(Duration.ofSeconds(20));
    assertThat(ready()).as("the wake-up goes out again for others").contains(job.id());
    Lease other = db.store.lease(job.id(), "worker-2", LEASE).orElseThrow();
    assertThat(db.store.release(other)).isTrue();
    db.clockAhead(Duration.ofSeconds(18).plus(JobStore.AVOID_TIME));
    assertThat(db.store.lease(job.id(), "worker-1", LEASE)).isPresent();
  }

  @Test
  void aMeasuredCostIsRemembered() {
    Lease lease = running(db.submit("ann").id());
    assertThat(db.store.finish(lease, IMAGES, OptionalLong.of(1234))).isTrue();
    assertThat(db.store.finish(running(db.submit("ann").id()), IMAGES)).isTrue();
    assertThat(db.store.measured(10)).containsExactly(new MeasuredJob(lease.job().spec(), 1234));
  }

  @Test
  void aDeadJobCanBePurged() {
    Job job = db.submit("ann");
    assertThat(db.store.purge(job.id())).as("it lives").isFalse();
    for (int crash = 1; crash <= 3; crash++) {
      running(job.id());
      db.clockAhead(Duration.ofMinutes(5L * crash));
      db.store.reapLapsed(100);
    }
    assertThat(db.store.purge(job.id())).isTrue();
    assertThat(db.store.purge(job.id())).isFalse();
    assertThat(db.store.get(job.id())).isEmpty();
    assertThat(db.store.events(job.id(), 0, 10)).isEmpty();
  }

  @Test
  void endedJobsAreSweptAfterTheTiersTime() {
    Job done = db.submit("ann");
    Job open = db.submit("ann");
    assertThat(db.store.finish(running(done.id()), IMAGES)).isTrue();
    db.clockAhead(Duration.ofDays(364));
    assertThat(db.store.sweep("pro", 100)).isZero();
    db.clockAhead(Duration.ofDays(366));
    assertThat(db.store.sweep("free", 100)).isZero();
    assertThat(db.store.sweep("pro", 100)).isEqualTo(1);
    assertThat(db.store.get(done.id())).isEmpty();
    assertThat(db.store.get(open.id())).isPresent();
  }
}
