package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.JobEvent;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.store.TierClass;
import dev.tintype.queue.transport.WakeUp;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the next attempt of a job gets from the one before, whatever ended that. */
class HandOverTest extends WorkerFixture {
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
    ScriptedEngine other = endedByAnother(id);
    assertThat(other.resumedSteps).hasValue(done);
    assertThat(other.stepsTaken).hasValue(1_000 - done);
    assertThat(job(id).errors() + job(id).crashes()).isZero();
  }

  @Test
  void aDecodeWithoutMemoryCostsNoStep() throws Exception {
    engine.decodesWithoutRoom.set(1);
    JobId id = run("plain", 1, 6);
    untilQueuedAgain(id);
    assertThat(job(id).failure().orElseThrow().code()).isEqualTo("device.out_of_memory");
    offer(id);
    until(id, EventType.SUCCEEDED);
    assertThat(engine.stepsTaken).hasValue(6);
    assertThat(engine.resumedSteps).hasValue(6);
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
    ScriptedEngine other = endedByAnother(id);
    assertThat(job(id).images())
        .extracting(image -> image.index() + ":" + image.seed())
        .containsExactly("0:7", "1:8");
    assertThat(other.stepsTaken).hasValue(1_000 - done);
  }

  @Test
  void aRelaxedJobMakesRoomForAnUrgentOneAndGoesOnLater() throws Exception {
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
    stepsUntil(() -> job(urgent).state() == JobState.SUCCEEDED, jobsMax);
    JobId youngest = relaxed.getLast();
    await(() -> job(youngest).state() == JobState.QUEUED);
    assertThat(job(youngest).preemptions()).isEqualTo(1);
    assertThat(job(youngest).errors() + job(youngest).crashes()).isZero();
    assertThat(relaxed.subList(0, jobsMax - 1))
        .allMatch(id -> job(id).preemptions() == 0 && job(id).attempt() == 1);
    offer(youngest, TierClass.RELAXED);
    stepsUntil(() -> engine.resumedSteps.get() > 0, jobsMax);
    assertThat(job(youngest).attempt()).isEqualTo(2);
  }

  /** In a fleet: wherever the urgent job's wake-up lies, a heartbeat tells that nobody took it. */
  @Test
  void aFullWorkerTakesTheUrgentJobThatItsHeartbeatTellsOf() throws Exception {
    worker.close();
    worker = start(config("test-2").withJobsMax(1).withLeaseTime(Duration.ofSeconds(6)), engine);
    JobId relaxed = submit("slow", 1, 1_000);
    offer(relaxed, TierClass.RELAXED);
    until(relaxed, EventType.STARTED);
    JobId urgent = submit("plain", 1, 3);
    store.askForRoom(List.of(urgent), Set.of("pro"), Set.of("pro"));
    stepsUntil(() -> job(urgent).state() == JobState.SUCCEEDED, 1);
    await(() -> job(relaxed).state() == JobState.QUEUED);
    assertThat(job(relaxed).preemptions()).isEqualTo(1);
    assertThat(job(relaxed).errors() + job(relaxed).crashes()).isZero();
    assertThat(isKept(relaxed, 0, engine.stepsTaken.get() - 3)).isTrue();
  }
}
