package dev.tintype.gateway.testing;

import dev.tintype.queue.job.EventType;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobFailure;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.job.JobState;
import dev.tintype.queue.job.NewEvent;
import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.store.JobStore;
import dev.tintype.queue.store.Lease;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** Drives one job through the store's calls, as a worker does, but only as far as a test says. */
public final class TestWorker {
  private static final Duration LEASE_TIME = Duration.ofSeconds(60);

  private final JobStore jobs;
  private final Lease lease;

  private TestWorker(JobStore jobs, Lease lease) {
    this.jobs = jobs;
    this.lease = lease;
  }

  /** Takes the job and starts it. */
  public static TestWorker take(JobStore jobs, String id) {
    Lease lease = jobs.lease(new JobId(id), "test-worker", LEASE_TIME).orElseThrow();
    require(jobs.start(lease));
    return new TestWorker(jobs, lease);
  }

  /** Fails the job until it is dead. */
  public static void bury(JobStore jobs, String id) {
    JobState state = JobState.QUEUED;
    while (state != JobState.DEAD) {
      // The store keeps a failed job back for a while; nobody waits here.
      Lease lease = jobs.lease(new JobId(id), "test-worker", LEASE_TIME).orElseThrow();
      state = jobs.fail(lease, new JobFailure("engine.defect", "It broke.", true)).orElseThrow();
    }
  }

  public TestWorker progress(int step) {
    require(jobs.appendEvents(lease, List.of(NewEvent.progress(step, steps()))));
    return this;
  }

  public TestWorker preview(int step, int bytes) {
    require(
        jobs.appendEvents(lease, List.of(NewEvent.preview(step, "image/jpeg", new byte[bytes]))));
    return this;
  }

  public int steps() {
    return lease.job().spec().steps();
  }

  /** The last progress, with the times of the stages as workers write them. */
  public TestWorker timings(String json) {
    String event = "{\"step\":%d,\"steps\":%d,\"timings_ms\":%s}".formatted(steps(), steps(), json);
    require(jobs.appendEvents(lease, List.of(new NewEvent(EventType.PROGRESS, event))));
    return this;
  }

  /** Ends the job with as many pictures as it asked for. */
  public void finish() {
    require(jobs.finish(lease, images()));
  }

  /** The same, having taken so much of a device. */
  public void finish(long gpuMs) {
    require(jobs.finish(lease, images(), OptionalLong.of(gpuMs)));
  }

  private List<ImageRecord> images() {
    return IntStream.range(0, lease.job().spec().images()).mapToObj(this::image).toList();
  }

  public void fail(String code, String message) {
    jobs.fail(lease, new JobFailure(code, message, false)).orElseThrow();
  }

  public void cancel() {
    require(jobs.finishCanceled(lease));
  }

  private ImageRecord image(int index) {
    byte[] name = (lease.jobId() + "/" + index).getBytes(StandardCharsets.UTF_8);
    return new ImageRecord(
        index,
        Sha256.hex(name),
        lease.job().spec().width(),
        lease.job().spec().height(),
        lease.job().spec().seed() + index,
        1_000 + index,
        Optional.of("1QcSHQRnh493V4dIh4eXh1h4kJUI"));
  }

  private static void require(boolean held) {
    if (!held) {
      throw new IllegalStateException("the lease is lost");
    }
  }
}
