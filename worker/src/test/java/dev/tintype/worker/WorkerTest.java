package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.fleet.WorkerState;
import dev.tintype.queue.fleet.WorkerStatus;
import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.SubmitRequest;
import dev.tintype.queue.store.SubmitResult;
import dev.tintype.queue.store.Tier;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** One worker: what becomes of a job in its hands, and of the worker when something breaks. */
class WorkerTest extends WorkerFixture {
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
    for (int i = 0; i < LoopJobs.FAILED_JOBS_MAX; i++) {
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
    assertThat(worker.status("here", "1", Tier.SHARED).state()).isEqualTo(WorkerState.READY);
    JobId id = run("slow", 1, 4);
    engine.slowSteps.release(2);
    until(id, EventType.PROGRESS);
    WorkerStatus status = worker.status("here", "1", Tier.SHARED);
    assertThat(status.id()).isEqualTo("test-1");
    assertThat(status.device()).isEqualTo("paper");
    assertThat(status.serves()).containsExactly(ScriptedEngine.MODEL);
    assertThat(status.resident()).containsExactly(ScriptedEngine.MODEL);
    assertThat(status.jobs()).isEqualTo(1);
    assertThat(status.stepsPerSecond()).isPositive();
    engine.slowSteps.release(10);
    worker.drain(WAIT_MAX);
    assertThat(worker.status("here", "1", Tier.SHARED).state()).isEqualTo(WorkerState.DRAINING);
  }
}
