package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RoomWishesTest {
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final Set<String> TIERS = Set.of("free", "pro");
  private static final Set<String> RELAXED = Set.of("free");

  private TestDatabase db;
  private int seed;

  @BeforeEach
  void open() {
    db = TestDatabase.create();
  }

  @AfterEach
  void close() {
    db.close();
  }

  private Job submit(String tier, String model) {
    JobSpec spec = JobSpec.builder(model, "a red sun").seed(++seed).build();
    SubmitRequest request = SubmitRequest.plain("pam", tier, spec, "f" + seed, 100);
    return ((SubmitResult.Accepted) db.store.submit(request)).job();
  }

  private Lease running(String tier, String model) {
    return run(submit(tier, model).id());
  }

  private Lease run(JobId id) {
    Lease lease = db.store.lease(id, "w", LEASE).orElseThrow();
    assertThat(db.store.start(lease)).isTrue();
    return lease;
  }

  private Optional<JobId> roomFor(Lease lease) {
    return ((Renewal.Held) db.store.renew(lease, LEASE)).roomFor();
  }

  @Test
  void theNewestRelaxedJobOfTheModelHearsItWithItsHeartbeat() {
    Lease older = running("free", "mini");
    Lease newer = running("free", "mini");
    Lease other = running("free", "another");
    Lease normal = running("pro", "mini");
    JobId urgent = submit("pro", "mini").id();
    assertThat(db.store.askForRoom(List.of(urgent), TIERS, RELAXED)).containsExactly(urgent);
    assertThat(roomFor(newer)).contains(urgent);
    // One is asked at a time, however often the relay looks.
    assertThat(db.store.askForRoom(List.of(urgent), TIERS, RELAXED)).containsExactly(urgent);
    assertThat(List.of(older, other, normal)).allMatch(lease -> roomFor(lease).isEmpty());
  }

  @Test
  void severalUrgentJobsAskDifferentOnes() {
    Lease first = running("free", "mini");
    Lease second = running("free", "mini");
    List<JobId> urgent = List.of(submit("pro", "mini").id(), submit("pro", "mini").id());
    db.store.askForRoom(urgent, TIERS, RELAXED);
    assertThat(List.of(roomFor(first).orElseThrow(), roomFor(second).orElseThrow()))
        .containsExactlyInAnyOrderElementsOf(urgent);
  }

  @Test
  void aWishEndsWhenTheUrgentJobIsTakenAndWithTheLease() {
    Lease relaxed = running("free", "mini");
    JobId urgent = submit("pro", "mini").id();
    db.store.askForRoom(List.of(urgent), TIERS, RELAXED);
    Lease taken = run(urgent);
    assertThat(roomFor(relaxed)).isEmpty();
    assertThat(db.store.askForRoom(List.of(urgent), TIERS, RELAXED)).isEmpty();
    db.store.release(taken);
    assertThat(roomFor(relaxed)).contains(urgent);
    db.store.preempt(relaxed);
    assertThat(roomFor(run(relaxed.jobId()))).isEmpty();
  }

  @Test
  void whoDoesNotAnswerIsPassedOverAfterAWhile() {
    Lease quiet = running("free", "mini");
    JobId urgent = submit("pro", "mini").id();
    db.store.askForRoom(List.of(urgent), TIERS, RELAXED);
    Lease newer = running("free", "mini");
    db.store.askForRoom(List.of(urgent), TIERS, RELAXED);
    assertThat(roomFor(newer)).isEmpty();
    db.clockAhead(DispatchStore.ASK_TIME.plusSeconds(1));
    db.store.askForRoom(List.of(urgent), TIERS, RELAXED);
    assertThat(roomFor(newer)).contains(urgent);
    assertThat(roomFor(quiet)).contains(urgent);
  }

  @Test
  void aJobThatMadeRoomOftenEnoughIsNotAskedAgain() {
    Lease relaxed = running("free", "mini");
    for (int times = 0; times < LeaseStore.PREEMPTIONS_MAX; times++) {
      db.store.preempt(relaxed);
      relaxed = run(relaxed.jobId());
    }
    db.store.askForRoom(List.of(submit("pro", "mini").id()), TIERS, RELAXED);
    assertThat(roomFor(relaxed)).isEmpty();
  }

  @Test
  void whoRunsInAnotherPoolIsNotAsked() {
    Lease elsewhere = running("free", "mini");
    JobId urgent = submit("pro", "mini").id();
    db.store.askForRoom(List.of(urgent), Set.of("pro"), Set.of());
    assertThat(roomFor(elsewhere)).isEmpty();
  }
}
