package dev.tintype.worker;

import dev.tintype.worker.RunningJob.Sample;
import dev.tintype.worker.StageTimes.Stage;
import dev.tintype.worker.StepPolicy.Candidate;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.EngineFault;
import dev.tintype.worker.engine.Painting;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One denoising step of as many pictures as go together, and whom it is charged to: each picture of
 * a batch pays an equal part of the time. Where it fails, finds whose fault that was: out of memory
 * is nobody's and halves the batch; else the pictures are stepped one by one, so that one does not
 * take others along. The time of a call that failed is charged to nobody. Where one batch is all
 * that there is to do, the device is kept busy over the end of a step; else each step is waited
 * for, so that nobody pays for what another left under way. For the loop's thread.
 */
final class BatchStep {
  private static final Logger LOG = LoggerFactory.getLogger(BatchStep.class);

  private final LoopJobs jobs;
  private final WorkerConfig config;
  private final BatchSize batchSize;
  private final StepRate rate;
  private final LongSupplier nanoTime;
  private long ticks;

  /** The batch whose last step is not waited for yet. */
  private List<Sample> underWay = List.of();

  /**
   * @param rate told of every step
   * @param nanoTime as {@link System#nanoTime}
   */
  BatchStep(
      LoopJobs jobs,
      WorkerConfig config,
      BatchSize batchSize,
      StepRate rate,
      LongSupplier nanoTime) {
    this.jobs = jobs;
    this.config = config;
    this.batchSize = batchSize;
    this.rate = rate;
    this.nanoTime = nanoTime;
  }

  void step() {
    List<Sample> unfinished =
        jobs.samples().stream().filter(sample -> !sample.painting().done()).toList();
    List<Sample> batch = batch(unfinished);
    if (batch.isEmpty()) {
      return;
    }
    if (!batch.equals(underWay)) {
      settle();
    }
    long took;
    try {
      took = step(batch, batch.size() == unfinished.size() && nothingFollows(batch));
    } catch (RuntimeException e) {
      failed(batch, e);
      return;
    }
    stepped(batch, took);
  }

  private List<Sample> batch(List<Sample> unfinished) {
    List<Candidate> candidates = unfinished.stream().map(BatchStep::candidate).toList();
    Set<Candidate> picked = new HashSet<>(StepPolicy.pick(candidates, batchSize.max(), ticks++));
    return unfinished.stream().filter(sample -> picked.contains(candidate(sample))).toList();
  }

  private static Candidate candidate(Sample sample) {
    RunningJob job = sample.job();
    return new Candidate(sample.admission(), job.bucket(), job.urgent());
  }

  /** Whether a step of the same batch is in progress on the device. */
  boolean isUnderWay() {
    return !underWay.isEmpty();
  }

  /**
   * Waits for a step that is under way, and charges it. To be called before anything but a step.
   */
  void settle() {
    List<Sample> batch = underWay;
    underWay = List.of();
    if (!batch.isEmpty()) {
      long start = nanoTime.getAsLong();
      batch.getFirst().job().engine().settle();
      charge(batch, nanoTime.getAsLong() - start);
    }
  }

  /** A checkpoint after the step would wait for it, on one picture's account. */
  private boolean nothingFollows(List<Sample> batch) {
    return batch.stream()
        .map(Sample::painting)
        .noneMatch(p -> config.checkpointDue(p.step() + 1, p.steps()));
  }

  /** How long it took, in ns. All or none: where it throws, none has moved. */
  private long step(List<Sample> batch, boolean comesAgain) {
    long start = nanoTime.getAsLong();
    Engine engine = batch.getFirst().job().engine();
    List<Painting> paintings = batch.stream().map(Sample::painting).toList();
    if (comesAgain) {
      engine.stepAhead(paintings);
      underWay = paintings.stream().anyMatch(Painting::done) ? List.of() : batch;
    } else {
      engine.step(paintings);
      underWay = List.of();
    }
    return nanoTime.getAsLong() - start;
  }

  private void stepped(List<Sample> batch, long took) {
    jobs.deviceWorks();
    rate.add(batch.size());
    batchSize.stepped(batch.size());
    charge(batch, took);
    batch.forEach(sample -> sample.job().stepped());
    batch.forEach(this::checkpoint);
  }

  private static void charge(List<Sample> batch, long took) {
    Set<RunningJob> waited = new HashSet<>();
    long left = took;
    for (int i = 0; i < batch.size(); i++) {
      RunningJob job = batch.get(i).job();
      if (waited.add(job)) {
        job.times().add(Stage.STEPS, took);
      }
      long part = left / (batch.size() - i); // Of the rest, so that the parts are the whole.
      job.charge(batch.get(i).index(), part);
      left -= part;
    }
  }

  private void checkpoint(Sample sample) {
    if (config.checkpointDue(sample.painting().step(), sample.painting().steps())) {
      long start = nanoTime.getAsLong();
      sample.job().checkpoint(sample);
      sample.job().charge(sample.index(), nanoTime.getAsLong() - start);
    }
  }

  private void failed(List<Sample> batch, RuntimeException error) {
    EngineFault fault = EngineFault.of(error);
    if (fault == EngineFault.DEVICE) {
      throw error;
    }
    if (batch.size() == 1) {
      jobs.fail(batch.getFirst().job(), error);
    } else if (fault == EngineFault.MEMORY) {
      batchSize.outOfMemory(batch.size());
      LOG.warn(
          "Out of device memory with {} pictures at once; {} from now",
          batch.size(),
          batchSize.max());
    } else {
      LOG.warn("A step of {} pictures failed; one by one: {}", batch.size(), error.getMessage());
      oneByOne(batch);
    }
  }

  private void oneByOne(List<Sample> batch) {
    for (Sample sample : batch) {
      if (!jobs.goesOn(sample.job())) {
        continue; // Another picture of its job was the guilty one.
      }
      long took;
      try {
        took = step(List.of(sample), false);
      } catch (RuntimeException e) {
        jobs.fail(sample.job(), e);
        continue;
      }
      stepped(List.of(sample), took);
    }
  }
}
