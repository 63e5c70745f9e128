package dev.tintype.perf.simulate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.NewEvent;
import dev.tintype.queue.store.CancelResult;
import dev.tintype.queue.store.DispatchStore;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.LeaseStore;
import dev.tintype.queue.store.ReadyJob;
import dev.tintype.queue.store.ReadyPage;
import dev.tintype.queue.store.Renewal;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What relays and workers may rely on, of the store in PostgreSQL and of the one that simulations
 * run on: what ten thousand simulated histories show holds for the real store as far as both keep
 * this. Time stands still but for {@link #pass}.
 */
abstract class StoreContract {
  static final String TIER = "pro";
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final Duration CLAIM = Duration.ofSeconds(30);
  private static final Duration INSTANT = Duration.ofMillis(1);
  private static final Duration BACKOFF_MAX = Duration.ofSeconds(60);
  private static final Set<String> MODELS = Set.of(Arrivals.MODEL);
  private static final JobFailure FLAKY = new JobFailure("blob.io", "the disk is slow", true);
  private static final List<ImageRecord> IMAGES =
      List.of(new ImageRecord(0, "a".repeat(64), 512, 512, 7, 1000, Optional.empty()));

  private int workers;

  abstract DispatchStore dispatch();

  abstract LeaseStore leases();

  /** A new job of {@code ann} or {@code bob} in {@link #TIER}. */
  abstract JobId submit(String user, JobSpec spec);

  abstract CancelResult cancel(JobId id);

  abstract Job get(JobId id);

  abstract void pass(Duration time);

  private JobId submit() {
    return submit("ann", spec(Arrivals.MODEL));
  }

  private static JobSpec spec(String model) {
    return JobSpec.builder(model, "x").build();
  }

  private Lease lease(JobId id) {
    return leases().lease(id, "worker-" + ++workers, LEASE).orElseThrow();
  }

  private Lease running(JobId id) {
    Lease lease = lease(id);
    assertThat(leases().start(lease)).isTrue();
    return lease;
  }

  private void lapse() {
    pass(LEASE.plus(INSTANT));
    assertThat(dispatch().reapLapsed(100)).hasSize(1);
  }

  private List<JobId> ready() {
    return ids(dispatch().ready(TIER, MODELS, Optional.empty(), 100, 100));
  }

  private static List<JobId> ids(ReadyPage page) {
    return page.jobs().stream().map(ReadyJob::id).toList();
  }

  @Test
  void movesHappenInTheirOrderAndOnce() {
    JobId id = submit();
    assertThat(ready()).containsExactly(id);
    Lease lease = lease(id);
    assertThat(lease.attempt()).isEqualTo(1);
    assertThat(lease.job().state()).isEqualTo(JobState.LEASED);
    assertThat(ready()).isEmpty();
    assertThat(leases().lease(id, "other", LEASE)).isEmpty();
    assertThat(leases().finish(lease, IMAGES)).as("before its start").isFalse();
    assertThat(leases().start(lease)).isTrue();
    assertThat(leases().start(lease)).isFalse();
    assertThat(leases().appendEvents(lease, List.of(NewEvent.progress(1, 2)))).isTrue();
    assertThat(leases().finish(lease, IMAGES)).isTrue();
    assertThat(leases().finish(lease, IMAGES)).isFalse();
    assertThat(get(id).state()).isEqualTo(JobState.SUCCEEDED);
    assertThat(leases().lease(id, "other", LEASE)).isEmpty();
  }

  @Test
  void aJobThatIsGoneIsNobodys() {
    JobId unknown = JobId.next(Clock.systemUTC(), new Random(1));
    assertThat(leases().lease(unknown, "worker", LEASE)).isEmpty();
    assertThat(dispatch().claim(List.of(unknown), CLAIM)).isEmpty();
    dispatch().unclaim(List.of(unknown));
    assertThat(ready()).isEmpty();
  }

  /** How a former owner lost the job. */
  enum Loss {
    LAPSED,
    RELEASED,
    ERROR,
    LEASED_AGAIN,
    ENDED
  }

  @ParameterizedTest
  @EnumSource
  void theFenceRefusesEveryWriteOfAFormerOwner(Loss loss) {
    JobId id = submit();
    Lease stale = running(id);
    switch (loss) {
      case LAPSED -> lapse();
      case RELEASED -> assertThat(leases().release(stale)).isTrue();
      case ERROR -> assertThat(leases().fail(stale, FLAKY)).contains(JobState.QUEUED);
      case LEASED_AGAIN -> {
        lapse();
        pass(BACKOFF_MAX);
        running(id);
        // Not even the wish of its user lets the former owner end it.
        assertThat(cancel(id)).isEqualTo(CancelResult.REQUESTED);
      }
      case ENDED -> {
        lapse();
        pass(BACKOFF_MAX);
        assertThat(leases().finish(running(id), IMAGES)).isTrue();
      }
    }
    Job before = get(id);
    assertThat(leases().start(stale)).isFalse();
    assertThat(leases().renew(stale, LEASE)).isInstanceOf(Renewal.Lost.class);
    assertThat(leases().appendEvents(stale, List.of(NewEvent.progress(1, 2)))).isFalse();
    assertThat(leases().finish(stale, IMAGES)).isFalse();
    assertThat(leases().fail(stale, FLAKY)).isEmpty();
    assertThat(leases().finishCanceled(stale)).isFalse();
    assertThat(leases().release(stale)).isFalse();
    assertThat(get(id)).isEqualTo(before);
  }

  @Test
  void aLeaseLapsesAfterItsTimeAndNotBefore() {
    JobId id = submit();
    Lease lease = running(id);
    pass(LEASE);
    assertThat(dispatch().reapLapsed(100)).isEmpty();
    assertThat(leases().renew(lease, LEASE)).isInstanceOf(Renewal.Held.class);
    pass(LEASE);
    assertThat(dispatch().reapLapsed(100)).isEmpty();
    pass(INSTANT);
    assertThat(dispatch().reapLapsed(100))
        .singleElement()
        .satisfies(
            job -> {
              assertThat(job.id()).isEqualTo(id);
              assertThat(job.state()).isEqualTo(JobState.QUEUED);
              assertThat(job.crashes()).isEqualTo(1);
              assertThat(job.errors()).isZero();
            });
    assertThat(dispatch().reapLapsed(100)).isEmpty();
  }

  @Test
  void aLapsedLeaseMayBeRenewedUntilItIsReaped() {
    Lease lease = running(submit());
    pass(LEASE.plus(INSTANT));
    assertThat(leases().renew(lease, LEASE)).isInstanceOf(Renewal.Held.class);
    assertThat(dispatch().reapLapsed(100)).isEmpty();
    assertThat(leases().finish(lease, IMAGES)).isTrue();
  }

  @Test
  void afterACrashTheJobWaitsAndCannotBeClaimed() {
    JobId id = submit();
    running(id);
    lapse();
    pass(Duration.ofMillis(499));
    assertThat(ready()).isEmpty();
    assertThat(dispatch().claim(List.of(id), CLAIM)).isEmpty();
    pass(Duration.ofMillis(501));
    assertThat(ready()).containsExactly(id);
  }

  @Test
  void theThirdCrashBuriesTheJob() {
    JobId id = submit();
    for (int crash = 1; crash <= 3; crash++) {
      running(id);
      lapse();
      pass(BACKOFF_MAX);
    }
    Job job = get(id);
    assertThat(job.state()).isEqualTo(JobState.DEAD);
    assertThat(job.crashes()).isEqualTo(3);
    assertThat(job.failure().orElseThrow().code()).isEqualTo("job.crashes");
    assertThat(ready()).isEmpty();
  }

  @Test
  void theFifthErrorBuriesTheJobAndCrashesAreCountedApart() {
    JobId id = submit();
    running(id);
    lapse();
    for (int error = 1; error <= 4; error++) {
      pass(BACKOFF_MAX);
      assertThat(leases().fail(running(id), FLAKY)).contains(JobState.QUEUED);
      assertThat(ready()).as("it waits").isEmpty();
    }
    pass(BACKOFF_MAX);
    assertThat(leases().fail(running(id), FLAKY)).contains(JobState.DEAD);
    assertThat(get(id).errors()).isEqualTo(5);
    assertThat(get(id).crashes()).isEqualTo(1);
    assertThat(get(id).failure()).contains(FLAKY);
  }

  @Test
  void anErrorThatCannotGoAwayEndsTheJob() {
    JobId id = submit();
    JobFailure failure = new JobFailure("model.missing", "no such model", false);
    assertThat(leases().fail(running(id), failure)).contains(JobState.FAILED);
    assertThat(get(id).failure()).contains(failure);
  }

  @Test
  void aReleasedJobIsReadyAtOnceWithoutBlame() {
    JobId id = submit();
    assertThat(dispatch().claim(List.of(id), CLAIM)).containsExactly(id);
    assertThat(leases().release(running(id))).isTrue();
    assertThat(ready()).containsExactly(id);
    assertThat(get(id).crashes() + get(id).errors()).isZero();
  }

  @Test
  void aClaimIsForOneRelayAndLapses() {
    JobId id = submit();
    assertThat(dispatch().claim(List.of(id), CLAIM)).containsExactly(id);
    assertThat(dispatch().claim(List.of(id), CLAIM)).isEmpty();
    assertThat(ready()).isEmpty();
    pass(CLAIM);
    assertThat(ready()).isEmpty();
    pass(INSTANT);
    assertThat(ready()).containsExactly(id);
    assertThat(dispatch().claim(List.of(id), CLAIM)).containsExactly(id);
  }

  @Test
  void aClaimGivenBackIsReadyUnlessItWasTakenMeanwhile() {
    JobId id = submit();
    dispatch().claim(List.of(id), CLAIM);
    dispatch().unclaim(List.of(id));
    assertThat(ready()).containsExactly(id);
    dispatch().claim(List.of(id), CLAIM);
    Lease lease = running(id);
    dispatch().unclaim(List.of(id));
    assertThat(ready()).isEmpty();
    assertThat(leases().fail(lease, FLAKY)).contains(JobState.QUEUED);
    dispatch().unclaim(List.of(id));
    assertThat(ready()).as("it waits for its backoff").isEmpty();
  }

  @Test
  void aWorkerThatAJobCrashedGetsItLastOfAll() {
    JobId id = submit();
    assertThat(leases().lease(id, "frail", LEASE)).isPresent();
    lapse();
    pass(Duration.ofSeconds(1));
    assertThat(dispatch().claim(List.of(id), CLAIM)).containsExactly(id);
    assertThat(leases().lease(id, "frail", LEASE)).isEmpty();
    assertThat(ready()).isEmpty();
    pass(Duration.ofSeconds(1));
    assertThat(ready()).as("its wake-up goes out again").containsExactly(id);
    assertThat(leases().release(leases().lease(id, "other", LEASE).orElseThrow())).isTrue();
    pass(LeaseStore.AVOID_TIME);
    assertThat(leases().lease(id, "frail", LEASE)).isPresent();
  }

  @Test
  void aQueuedJobIsCanceledAtOnceAlsoWhileItIsClaimedOrWaits() {
    JobId idle = submit();
    JobId claimed = submit();
    dispatch().claim(List.of(claimed), CLAIM);
    JobId waits = submit();
    leases().fail(running(waits), FLAKY);
    for (JobId id : List.of(idle, claimed, waits)) {
      assertThat(cancel(id)).isEqualTo(CancelResult.CANCELED);
      assertThat(cancel(id)).isEqualTo(CancelResult.ALREADY_ENDED);
      assertThat(get(id).state()).isEqualTo(JobState.CANCELED);
      assertThat(leases().lease(id, "worker", LEASE)).isEmpty();
    }
    pass(BACKOFF_MAX);
    assertThat(ready()).isEmpty();
  }

  /** How the worker of a job that is to be canceled lets go of it. */
  enum Letting {
    FINISH_CANCELED,
    RELEASE,
    ERROR,
    LAPSE
  }

  @ParameterizedTest
  @EnumSource
  void aRunningJobIsCanceledHoweverItsWorkerLetsGo(Letting how) {
    JobId id = submit();
    Lease lease = running(id);
    assertThat(leases().finishCanceled(lease)).as("nobody asked").isFalse();
    assertThat(cancel(id)).isEqualTo(CancelResult.REQUESTED);
    assertThat(cancel(id)).isEqualTo(CancelResult.REQUESTED);
    assertThat(leases().renew(lease, LEASE))
        .isInstanceOfSatisfying(
            Renewal.Held.class, held -> assertThat(held.cancelRequested()).isTrue());
    switch (how) {
      case FINISH_CANCELED -> assertThat(leases().finishCanceled(lease)).isTrue();
      case RELEASE -> assertThat(leases().release(lease)).isTrue();
      case ERROR -> assertThat(leases().fail(lease, FLAKY)).contains(JobState.CANCELED);
      case LAPSE -> lapse();
    }
    assertThat(get(id).state()).isEqualTo(JobState.CANCELED);
    assertThat(get(id).failure()).isEmpty();
    assertThat(cancel(id)).isEqualTo(CancelResult.ALREADY_ENDED);
    pass(BACKOFF_MAX);
    assertThat(ready()).isEmpty();
  }

  @Test
  void aResultThatIsThereBeforeTheWorkerHearsOfTheCancelStands() {
    JobId id = submit();
    Lease lease = running(id);
    assertThat(cancel(id)).isEqualTo(CancelResult.REQUESTED);
    assertThat(leases().finish(lease, IMAGES)).isTrue();
    assertThat(cancel(id)).isEqualTo(CancelResult.ALREADY_ENDED);
    assertThat(get(id).state()).isEqualTo(JobState.SUCCEEDED);
  }

  @Test
  void theHeadsOfTheQueueAreByUserOldestFirstAndOnlyOfModelsAskedFor() {
    // The order of ids is the order of age; within one millisecond it is drawn.
    List<JobId> anns =
        Stream.of(submit("ann", spec(Arrivals.MODEL)), submit("ann", spec(Arrivals.MODEL)))
            .sorted()
            .toList();
    JobId first = anns.getFirst();
    JobId second = anns.getLast();
    JobId slow = submit("ann", spec(Arrivals.SLOW_MODEL));
    JobId bobs = submit("bob", spec(Arrivals.MODEL));
    Optional<String> start = Optional.empty();
    DispatchStore store = dispatch();
    assertThat(ids(store.ready(TIER, MODELS, start, 10, 10))).containsExactly(first, second, bobs);
    assertThat(ids(store.ready(TIER, MODELS, start, 10, 1))).containsExactly(first, bobs);
    assertThat(ids(store.ready(TIER, Set.of(Arrivals.SLOW_MODEL), start, 10, 10)))
        .containsExactly(slow);
    ReadyPage page = store.ready(TIER, MODELS, start, 1, 10);
    assertThat(ids(page)).containsExactly(first, second);
    assertThat(page.next()).contains("ann");
    assertThat(ids(store.ready(TIER, MODELS, page.next(), 1, 10))).containsExactly(bobs);
    assertThat(store.ready("fast", MODELS, start, 10, 10).jobs()).isEmpty();
  }
}
