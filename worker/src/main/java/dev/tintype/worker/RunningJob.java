package dev.tintype.worker;

import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobSpec;
import dev.tintype.queue.store.Lease;
import dev.tintype.queue.store.TierClass;
import dev.tintype.worker.StepPolicy.Bucket;
import dev.tintype.worker.checkpoint.Checkpoint;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.Painting;
import dev.tintype.worker.engine.PaintingState;
import dev.tintype.worker.engine.StartPictures;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A leased job in the loop. All but {@link #stop} belongs to the loop's thread; the reason to stop
 * may be set by any.
 */
final class RunningJob {
  private static final Logger LOG = LoggerFactory.getLogger(RunningJob.class);

  /** Why a job leaves the loop before its pictures are done. */
  enum Stop {
    /** Its user withdrew it. */
    CANCEL,
    /** The scribe could not store a picture and has reported that. */
    FAILED,
    /** Another worker owns it now: everything we have is dropped. */
    LOST,
    /** This worker drains: another takes it, without blame. */
    GIVE_BACK,
    /** A more urgent job needs its place: it goes on later. */
    PREEMPT;

    /** Whether another attempt goes on from here, to which every stored picture is of use. */
    boolean handsOn() {
      return this == GIVE_BACK || this == PREEMPT;
    }
  }

  /** One picture of the job. */
  record Sample(RunningJob job, int index, long admission, Painting painting) {}

  private final Lease lease;
  private final TierClass tierClass;
  private final Engine engine;
  private final StageTimes times;
  private final List<Sample> samples = new ArrayList<>();
  private final long takenAt = System.nanoTime();
  private volatile Stop stop;
  private volatile long stoppedAt;
  private StartPictures start = StartPictures.NONE;
  private Map<Integer, PaintingState> states = Map.of();
  private List<ImageRecord> stored = List.of();
  private JobScribe scribe;
  private final Deque<Integer> toPaint = new ArrayDeque<>();
  private int decoded;
  private int stepsDone;
  private int stepsPerPicture;
  private final long[] deviceNanos;

  RunningJob(Lease lease, TierClass tierClass, Engine engine, StageTimes times) {
    this.lease = lease;
    this.tierClass = tierClass;
    this.engine = engine;
    this.times = times;
    this.deviceNanos = new long[lease.job().spec().images()];
    this.stepsPerPicture = lease.job().spec().steps();
    IntStream.range(0, spec().images()).forEach(toPaint::add);
  }

  /** Before the loop has the job. */
  void start(StartPictures pictures) {
    start = pictures;
  }

  StartPictures start() {
    return start;
  }

  /** Goes on where an earlier attempt was. Before the loop has the job. */
  void goOnFrom(List<Checkpoint> checkpoints) {
    Map<Integer, PaintingState> unfinished = new HashMap<>();
    List<ImageRecord> done = new ArrayList<>();
    for (Checkpoint checkpoint : checkpoints) {
      switch (checkpoint.content()) {
        case Checkpoint.Content.Unfinished(PaintingState state) ->
            unfinished.put(checkpoint.index(), state);
        case Checkpoint.Content.Stored(ImageRecord image) -> {
          if (toPaint.remove(image.index())) {
            done.add(image);
          }
        }
      }
    }
    states = unfinished;
    stored = List.copyOf(done);
  }

  /** Pictures that an earlier attempt has stored. */
  List<ImageRecord> stored() {
    return stored;
  }

  /** Where an earlier attempt was with that picture. */
  Optional<PaintingState> state(int index) {
    return Optional.ofNullable(states.get(index));
  }

  /** Whether an earlier attempt did a part of the work, which this one then has not measured. */
  boolean goesOn() {
    return !states.isEmpty() || !stored.isEmpty();
  }

  void scribe(JobScribe itsScribe) {
    scribe = itsScribe;
  }

  JobScribe scribe() {
    return scribe;
  }

  Lease lease() {
    return lease;
  }

  JobSpec spec() {
    return lease.job().spec();
  }

  Engine engine() {
    return engine;
  }

  StageTimes times() {
    return times;
  }

  boolean urgent() {
    return tierClass == TierClass.PRIORITY;
  }

  /** Roughly, for any thread; the loop decides. */
  boolean mayMakeRoom() {
    return StepPolicy.preemptible(
        new StepPolicy.Held(
            lease.jobId(), tierClass, lease.job().preemptions(), Integer.MAX_VALUE, heldMs()));
  }

  private long heldMs() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - takenAt);
  }

  /** As the policy sees it. */
  StepPolicy.Held held() {
    int left = stepsInAll() - stepsDone - stepsPerPicture * stored.size();
    return new StepPolicy.Held(lease.jobId(), tierClass, lease.job().preemptions(), left, heldMs());
  }

  Bucket bucket() {
    return new Bucket(spec().model(), spec().width(), spec().height());
  }

  /** The first reason stays, except that a lost lease beats all: then nothing may be written. */
  synchronized void stop(Stop reason) {
    if (stop == null) {
      stoppedAt = System.nanoTime();
    }
    if (stop == null || reason == Stop.LOST) {
      stop = reason;
    }
  }

  /** For how long there has been a reason to stop; that there is one was seen before. */
  long stoppedForNanos() {
    return System.nanoTime() - stoppedAt;
  }

  /** The reason to stop, or null to go on. */
  Stop stop() {
    return stop;
  }

  boolean wantsAdmission() {
    return !toPaint.isEmpty();
  }

  int nextIndex() {
    return toPaint.getFirst();
  }

  void admit(Sample sample) {
    samples.add(sample);
    toPaint.removeFirst();
    stepsPerPicture = sample.painting().steps();
    stepsDone += sample.painting().step();
  }

  List<Sample> samples() {
    return samples;
  }

  /** Counts a step and tells the scribe. */
  void stepped() {
    stepsDone++;
    scribe.progress(stepsDone + stepsPerPicture * stored.size(), stepsInAll());
  }

  /** Time of the device that went to one picture alone, in a stage of the job. */
  void took(StageTimes.Stage stage, int index, long nanos) {
    times.add(stage, nanos);
    charge(index, nanos);
  }

  /** Time of the device that a picture pays: of a shared call, its part. */
  void charge(int index, long nanos) {
    deviceNanos[index] += nanos;
  }

  /** What a picture took of the device so far, in ns; over all pictures the time it was busy. */
  long deviceNanos(int index) {
    return deviceNanos[index];
  }

  /** The same in ms; empty where an earlier attempt did a part. */
  OptionalLong gpuMs(int index) {
    return states.containsKey(index)
        ? OptionalLong.empty()
        : OptionalLong.of(TimeUnit.NANOSECONDS.toMillis(deviceNanos[index]));
  }

  /** What the job took of the device so far, in ms. */
  long deviceMs() {
    return TimeUnit.NANOSECONDS.toMillis(LongStream.of(deviceNanos).sum());
  }

  /**
   * Hands the scribe what another worker needs to go on; a lost device is told by its next step.
   */
  void checkpoint(Sample sample) {
    if (sample.painting().step() == 0) {
      return;
    }
    try {
      scribe.checkpoint(sample.index(), engine.save(sample.painting()));
    } catch (RuntimeException e) {
      LOG.warn("Job {}: no checkpoint: {}", lease.jobId(), e.getMessage());
    }
  }

  int stepsInAll() {
    return stepsPerPicture * spec().images();
  }

  void decoded(Sample sample) {
    samples.remove(sample);
    sample.painting().close();
    decoded++;
  }

  boolean complete() {
    return decoded + stored.size() == spec().images();
  }

  void closeSamples() {
    samples.forEach(sample -> sample.painting().close());
    samples.clear();
  }
}
