package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.TierClass;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Finished pictures whose blob store is away. */
class BlobOutageTest extends WorkerFixture {
  @Test
  void anOutageOfTheBlobStoreIsWaitedForAndCostsNoAttempt() throws Exception {
    blobs.away = true;
    // More pictures than may wait for the store, so that latents wait, too.
    List<JobId> ids = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ids.add(run("plain", 4, 3));
    }
    await(() -> blobs.refused.get() > Decoding.PICTURES_PENDING_MAX);
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

  /** Fills the loop with one job that a drain gives back, which shows that it has begun. */
  private JobId slowOne() throws InterruptedException {
    JobId slow = submit("slow", 1, 1_000);
    offer(slow, TierClass.RELAXED);
    until(slow, EventType.STARTED);
    return slow;
  }

  private Thread drainUntilGivenBack(JobId slow) throws InterruptedException {
    Thread draining = Thread.ofVirtual().start(() -> worker.drain(Duration.ZERO));
    stepsUntil(() -> job(slow).state() == JobState.QUEUED, 1);
    return draining;
  }

  @Test
  void aDrainStoresThePicturesOfAJobThatIsPainted() throws Exception {
    worker.close();
    worker = start(config("test-2").withHandBackMax(WAIT_MAX), engine);
    JobId slow = slowOne();
    blobs.away = true;
    JobId painted = run("plain", 3, 3);
    stepsUntil(() -> blobs.refused.get() > 0 && engine.open.get() == 1, 1);
    Thread draining = drainUntilGivenBack(slow);
    blobs.away = false;
    until(painted, EventType.SUCCEEDED);
    draining.join(WAIT_MAX);
    assertThat(job(painted).attempt()).isEqualTo(1);
    assertThat(job(painted).images()).hasSize(3);
  }

  @Test
  void aDrainStoresThePicturesOfAJobThatIsHandedOn() throws Exception {
    worker.close();
    worker = start(config("test-2").withHandBackMax(WAIT_MAX).withBatchMax(1), engine);
    blobs.away = true;
    JobId id = run("slow", 3, 1_000);
    // One picture tries to be stored, one waits behind it, and the third is in the making.
    slowSteps(2_001);
    await(() -> blobs.refused.get() > 0);
    Thread draining = Thread.ofVirtual().start(() -> worker.drain(Duration.ZERO));
    stepsUntil(() -> engine.open.get() == 0, 1);
    int done = engine.stepsTaken.get();
    blobs.away = false;
    await(() -> job(id).state() == JobState.QUEUED);
    draining.join(WAIT_MAX);
    ScriptedEngine other = endedByAnother(id);
    assertThat(other.stepsTaken).hasValue(3_000 - done);
    assertThat(job(id).images()).hasSize(3);
    assertThat(job(id).errors() + job(id).crashes()).isZero();
  }

  @Test
  void aDrainWhoseStoreStaysAwayEndsAllTheSame() throws Exception {
    worker.close();
    worker = start(config("test-2").withHandBackMax(Duration.ofMillis(100)), engine);
    blobs.away = true;
    JobId id = run("plain", 2, 3);
    await(() -> blobs.refused.get() > 0);
    worker.drain(Duration.ZERO);
    assertThat(job(id).state()).isEqualTo(JobState.QUEUED);
    assertThat(job(id).errors() + job(id).crashes()).isZero();
    assertThat(worker.jobs()).isZero();
  }
}
