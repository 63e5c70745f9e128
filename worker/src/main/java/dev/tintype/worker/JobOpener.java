package dev.tintype.worker;

import dev.tintype.worker.checkpoint.Checkpoint;
import dev.tintype.worker.checkpoint.JobCheckpoints;
import dev.tintype.worker.engine.EngineFault;
import dev.tintype.worker.picture.StoredPictures;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what jobs start from: pictures, and the checkpoints of earlier attempts. Jobs that need
 * neither pass at once. The others go one after the other through a thread of their own, so that at
 * most one picture is decoded at a time, whatever its size, while intake, heartbeats and loop go
 * on; the worker's permits bound how many wait.
 */
final class JobOpener implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobOpener.class);

  private final StoredPictures pictures;
  private final Predicate<String> blobExists;
  private final Consumer<RunningJob> ready;
  private final Consumer<Error> broken;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("job-opener").factory());

  /**
   * @param blobExists whether a picture of an earlier attempt is still there, by its SHA-256
   * @param ready gets each job that can be painted
   * @param broken told of an error beyond a job's own, after the job was given back
   */
  JobOpener(
      StoredPictures pictures,
      Predicate<String> blobExists,
      Consumer<RunningJob> ready,
      Consumer<Error> broken) {
    this.pictures = pictures;
    this.blobExists = blobExists;
    this.ready = ready;
    this.broken = broken;
  }

  void open(RunningJob job, JobCheckpoints checkpoints) {
    if (job.spec().initImage().isEmpty() && job.lease().attempt() == 1) {
      ready.accept(job);
      return;
    }
    try {
      thread.execute(() -> read(job, checkpoints));
    } catch (RejectedExecutionException e) {
      job.scribe().end(new Ending.GiveBack(false));
    }
  }

  private void read(RunningJob job, JobCheckpoints checkpoints) {
    try {
      if (job.stop() == null) {
        job.start(pictures.of(job.spec()));
        job.goOnFrom(usable(checkpoints.read()));
        job.scribe().earlier(job.stored());
      }
      ready.accept(job);
    } catch (RuntimeException e) {
      LOG.warn("Job {}: {}", job.lease().jobId(), e.getMessage(), e);
      job.scribe().end(new Ending.Fail(EngineFault.failure(e), true));
    } catch (Error e) {
      LOG.error("Job {} cannot be opened: {}", job.lease().jobId(), e.getMessage(), e);
      // Given back, so that its lease is not renewed for ever.
      job.scribe().end(new Ending.GiveBack(false));
      broken.accept(e);
    }
  }

  private List<Checkpoint> usable(List<Checkpoint> found) {
    return found.stream()
        .filter(
            checkpoint ->
                !(checkpoint.content() instanceof Checkpoint.Content.Stored stored)
                    || blobExists.test(stored.image().sha256()))
        .toList();
  }

  /** Takes no more jobs; those that wait are still read. */
  @Override
  public void close() {
    thread.shutdown();
  }
}
