package dev.tintype.queue.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.Job;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobMode;
import dev.tintype.queue.job.NewEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the store knows of a job's mode. */
@Timeout(60)
class ModesTest {
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

  private Job submit(JobMode mode, long costMs) {
    SubmitRequest request =
        SubmitRequest.plain("pam", "pro", TestDatabase.spec(++seed), "f" + seed, costMs);
    return ((SubmitResult.Accepted) db.store.submit(request.withMode(mode))).job();
  }

  private void finish(Job job, OptionalLong gpuMs) {
    Lease lease = db.store.lease(job.id(), "w", Duration.ofSeconds(60)).orElseThrow();
    assertThat(db.store.start(lease)).isTrue();
    ImageRecord image = new ImageRecord(0, "0".repeat(64), 8, 8, 0, 1, Optional.empty());
    assertThat(db.store.finish(lease, List.of(image), gpuMs)).isTrue();
  }

  @Test
  void theModeIsKept() {
    for (JobMode mode : JobMode.values()) {
      Job job = submit(mode, 100);
      assertThat(job.mode()).isEqualTo(mode);
      assertThat(db.store.get(job.id()).orElseThrow().mode()).isEqualTo(mode);
    }
    assertThat(db.submit("ann").mode()).isEqualTo(JobMode.NORMAL);
  }

  @Test
  void noModeHidesAnotherFromTheRelay() {
    List<JobId> normal = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      normal.add(submit(JobMode.NORMAL, 100).id());
    }
    JobId fast = submit(JobMode.FAST, 100).id();
    JobId relax = submit(JobMode.RELAX, 100).id();
    List<ReadyJob> heads =
        db.store.ready("pro", Set.of("tintype-mini"), Optional.empty(), 100, 2).jobs();
    assertThat(heads)
        .extracting(ReadyJob::id)
        .containsExactly(normal.get(0), normal.get(1), fast, relax);
    assertThat(heads)
        .extracting(ReadyJob::mode)
        .containsExactly(JobMode.NORMAL, JobMode.NORMAL, JobMode.FAST, JobMode.RELAX);
    int most = db.accounts.account("pam").orElseThrow().tier().runningMax();
    assertThat(heads).extracting(ReadyJob::userRoom).containsOnly(most);
    db.store.lease(normal.getFirst(), "w", Duration.ofSeconds(60)).orElseThrow();
    assertThat(db.store.ready("pro", Set.of("tintype-mini"), Optional.empty(), 100, 2).jobs())
        .extracting(ReadyJob::userRoom)
        .containsOnly(most - 1);
  }

  @Test
  void whatWaitsIsToldByLane() {
    submit(JobMode.NORMAL, 100);
    submit(JobMode.FAST, 20);
    submit(JobMode.RELAX, 3);
    assertThat(db.store.backlog())
        .containsExactlyInAnyOrder(
            new Backlog("pro", false, "tintype-mini", 120),
            new Backlog("pro", true, "tintype-mini", 3));
  }

  @Test
  void fastJobsAreChargedByWhatTheyTookFor30Days() {
    submit(JobMode.NORMAL, 5_000);
    Job measured = submit(JobMode.FAST, 100);
    Job unmeasured = submit(JobMode.FAST, 30);
    Job failed = submit(JobMode.FAST, 7);
    assertThat(db.store.fastUsedMs("pam")).isEqualTo(137);
    finish(measured, OptionalLong.of(250));
    assertThat(db.store.fastUsedMs("pam")).isEqualTo(287);
    finish(unmeasured, OptionalLong.empty());
    db.store.cancel("pam", failed.id());
    assertThat(db.store.fastUsedMs("pam")).isEqualTo(280);
    assertThat(db.store.fastUsedMs("ann")).isZero();
    db.clockAhead(Duration.ofDays(29));
    assertThat(db.store.forgetKeys(10)).isZero();
    assertThat(db.store.fastUsedMs("pam")).isEqualTo(280);
    db.clockAhead(Duration.ofDays(31));
    assertThat(db.store.fastUsedMs("pam")).isZero();
    assertThat(db.store.forgetKeys(10)).isEqualTo(1);
  }

  @Test
  void aFastJobThatIsEndedWhileItRunsIsChargedByItsShare() {
    Job untold = submit(JobMode.FAST, 100);
    Job told = submit(JobMode.FAST, 100);
    for (Job job : List.of(untold, told)) {
      Lease lease = db.store.lease(job.id(), "w", Duration.ofSeconds(60)).orElseThrow();
      if (job == told) {
        NewEvent first = NewEvent.progress(5, 40);
        NewEvent last = NewEvent.progress(30, 40);
        assertThat(db.store.appendEvents(lease, List.of(first, last))).isTrue();
      }
      db.store.cancel("pam", job.id());
      assertThat(db.store.finishCanceled(lease)).isTrue();
    }
    assertThat(db.store.fastUsedMs("pam")).isEqualTo(75);
  }
}
