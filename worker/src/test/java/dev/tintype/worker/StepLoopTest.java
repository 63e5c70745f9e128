package dev.tintype.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.MeasuredJob;
import dev.tintype.queue.store.TierClass;
import dev.tintype.worker.checkpoint.CheckpointStore;
import dev.tintype.worker.checkpoint.JobCheckpoints;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.Painting;
import dev.tintype.worker.engine.PaintingState;
import dev.tintype.worker.engine.Picture;
import dev.tintype.worker.engine.StartPictures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The loop, tick by tick, on a device whose calls take a known time. */
class StepLoopTest extends WorkerFixture {
  private static final long MS = 1_000_000;

  /** Of one picture alone. */
  private static final long STEP = 10 * MS + 1;

  private final AtomicLong clock = new AtomicLong();
  private final Semaphore picturesPending = new Semaphore(Decoding.PICTURES_PENDING_MAX);
  private final List<RunningJob> taken = new ArrayList<>();
  private TimedEngine timed;
  private StepLoop loop;

  @BeforeEach
  void makeLoop() {
    clock.set(0);
    taken.clear();
    timed = new TimedEngine(engine);
    loop =
        new StepLoop(
            config("by-hand"),
            4,
            picturesPending,
            new StepRate(clock::get),
            engine,
            Set::of,
            clock::get);
  }

  private RunningJob take(JobId id) {
    Lease lease = store.lease(id, "by-hand", Duration.ofMinutes(1)).orElseThrow();
    assertThat(store.start(lease)).isTrue();
    StageTimes times = new StageTimes(lease.job().createdAt(), lease.job().createdAt());
    RunningJob job = new RunningJob(lease, TierClass.NORMAL, timed, times);
    JobCheckpoints checkpoints = new JobCheckpoints(CheckpointStore.none(), "1", lease, timed);
    JobScribe scribe =
        new JobScribe(
            job,
            new LeasedWrites(job, store, checkpoints),
            new PictureHandIn(job, blobs, 0),
            checkpoints,
            picturesPending,
            0,
            () -> {});
    job.scribe(scribe);
    Thread.ofVirtual().start(scribe);
    loop.submit(job);
    taken.add(job);
    return job;
  }

  private void ticks(int count) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      loop.tick();
    }
  }

  private long charged() {
    long sum = 0;
    for (RunningJob job : taken) {
      for (int index = 0; index < job.spec().images(); index++) {
        sum += job.deviceNanos(index);
      }
    }
    return sum;
  }

  @Test
  void whatPicturesAreChargedIsTheTimeThatTheDeviceWasBusy() throws Exception {
    engine.memory = 3; // The first batch of four does not fit.
    RunningJob three = take(submit("plain", 3, 9));
    RunningJob one = take(submit("plain", 1, 20));
    RunningJob late = take(submit("late defect", 1, 8));
    ticks(6);
    RunningJob withdrawn = take(submit("plain", 2, 50));
    ticks(6);
    store.cancel("ann", withdrawn.lease().jobId());
    withdrawn.stop(RunningJob.Stop.CANCEL);
    while (!three.complete() || !one.complete()) {
      loop.tick();
    }
    assertThat(charged()).isEqualTo(clock.get()).isGreaterThan(29 * 10 * MS);
    assertThat(List.of(three, one, late, withdrawn)).allMatch(job -> job.deviceMs() > 0);
    until(one.lease().jobId(), EventType.SUCCEEDED);
    until(three.lease().jobId(), EventType.SUCCEEDED);
    assertThat(job(three.lease().jobId()).images())
        .hasSize(3)
        .allSatisfy(
            image -> assertThat(image.gpuMs()).hasValue(three.deviceNanos(image.index()) / MS));
    assertThat(store.measured(2))
        .extracting(MeasuredJob::gpuMs)
        .containsExactlyInAnyOrder(one.deviceMs(), three.deviceMs());
  }

  @Test
  void aJobThatComesBetweenTwoStepsSharesTheNextOne() throws Exception {
    RunningJob first = take(submit("plain", 1, 10));
    ticks(4);
    assertThat(first.samples().getFirst().painting().step()).isEqualTo(4);
    RunningJob second = take(submit("plain", 1, 10));
    ticks(1);
    assertThat(first.samples().getFirst().painting().step()).isEqualTo(5);
    assertThat(second.samples().getFirst().painting().step()).isEqualTo(1);
    assertThat(engine.largestBatch).isEqualTo(2);
    while (!second.complete()) {
      loop.tick();
    }
    assertThat(first.complete()).isTrue();
    until(second.lease().jobId(), EventType.SUCCEEDED);
  }

  /** Where batches take turns, one would pay for what another left under way. */
  @Test
  void onlyABatchThatComesAgainIsNotWaitedFor() throws Exception {
    RunningJob first = take(submit("plain", 1, 10));
    ticks(3);
    assertThat(timed.ahead).isEqualTo(3);
    RunningJob second = take(submit("plain", 4, 10)); // Five do not go together.
    ticks(2);
    assertThat(timed.ahead).isEqualTo(3);
    while (!first.complete() || !second.complete()) {
      loop.tick();
    }
    assertThat(timed.ahead).as("the other is alone in the end").isGreaterThan(3);
    until(second.lease().jobId(), EventType.SUCCEEDED);
  }

  /** Two pictures of one job go the same way and pay the same, but for what is written down. */
  @Test
  void aCheckpointIsNotPaidWithAnothersStep() throws Exception {
    RunningJob job = take(submit("plain", 2, 25));
    while (!job.complete()) {
      loop.tick();
    }
    assertThat(job.deviceNanos(0)).isEqualTo(job.deviceNanos(1));
    assertThat(charged()).isEqualTo(clock.get());
    assertThat(timed.ahead).isPositive();
  }

  @Test
  void whoComesPaysForNothingThatWasUnderWay() throws Exception {
    RunningJob first = take(submit("plain", 1, 20));
    ticks(2);
    assertThat(first.deviceNanos(0)).as("the second is under way").isEqualTo(3 * MS + STEP);
    RunningJob second = take(submit("plain", 1, 20));
    ticks(1);
    assertThat(first.deviceNanos(0)).isEqualTo(3 * MS + 2 * STEP);
    assertThat(second.deviceNanos(0)).as("its text").isEqualTo(3 * MS);
    first.stop(RunningJob.Stop.CANCEL);
    ticks(1);
    assertThat(second.deviceNanos(0)).isEqualTo(3 * MS + (10 * MS + 2) / 2);
    assertThat(charged()).isEqualTo(clock.get());
  }

  /**
   * Calls of another engine, each of which takes its time by the clock; what is under way takes it
   * from the call that comes next.
   */
  private final class TimedEngine implements Engine {
    private final Engine engine;
    private int ahead;
    private long underWay;

    TimedEngine(Engine engine) {
      this.engine = engine;
    }

    @Override
    public Painting admit(JobSpec spec, int index, StartPictures start) {
      settle();
      clock.addAndGet(3 * MS);
      return engine.admit(spec, index, start);
    }

    @Override
    public void step(List<Painting> batch) {
      engine.step(batch); // A call that fails is charged to nobody.
      settle();
      clock.addAndGet(10 * MS + batch.size());
    }

    @Override
    public void stepAhead(List<Painting> batch) {
      engine.step(batch);
      settle();
      underWay = 10 * MS + batch.size();
      ahead++;
      if (batch.stream().anyMatch(Painting::done)) {
        settle();
      }
    }

    @Override
    public void settle() {
      clock.addAndGet(underWay);
      underWay = 0;
    }

    @Override
    public PaintingState save(Painting painting) {
      settle();
      clock.addAndGet(MS / 2);
      return engine.save(painting);
    }

    @Override
    public Painting resume(JobSpec spec, int index, StartPictures start, PaintingState state) {
      return engine.resume(spec, index, start, state);
    }

    @Override
    public Picture decode(Painting painting) {
      settle();
      clock.addAndGet(7 * MS);
      return engine.decode(painting);
    }

    @Override
    public String model() {
      return engine.model();
    }

    @Override
    public String modelHash() {
      return engine.modelHash();
    }

    @Override
    public String device() {
      return engine.device();
    }

    @Override
    public String defaultScheduler() {
      return engine.defaultScheduler();
    }

    @Override
    public int samplesPerCall() {
      return engine.samplesPerCall();
    }

    @Override
    public void close() {
      engine.close();
    }
  }
}
