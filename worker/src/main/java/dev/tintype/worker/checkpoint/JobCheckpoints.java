package dev.tintype.worker.checkpoint;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.ImageRecord;
import dev.tintype.queue.job.JobId;
import dev.tintype.queue.store.Lease;
import dev.tintype.worker.checkpoint.Checkpoint.Content;
import dev.tintype.worker.engine.Engine;
import dev.tintype.worker.engine.PaintingState;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkpoints of one job under one lease. Nothing here fails a job: a store that is away is
 * logged and done without. Thread-safe.
 *
 * <p>A worker that lost its lease without knowing may write after the next one has begun. That does
 * no harm: all states of a recipe lie on one road, so the worst that an older one costs is steps.
 */
public final class JobCheckpoints {
  /**
   * Attempts that may go on from one checkpoint without coming further. A job that crashes its
   * worker again and again then starts from noise before it is given up, in case it was the
   * checkpoint.
   */
  static final int ATTEMPTS_MAX = 2;

  private static final Logger LOG = LoggerFactory.getLogger(JobCheckpoints.class);

  private final CheckpointStore store;
  private final JobId job;
  private final int attempt;
  private final byte[] fingerprint;
  private final Set<Integer> known = ConcurrentHashMap.newKeySet();

  /**
   * @param program version of the program: another one may compute other bits
   */
  public JobCheckpoints(CheckpointStore store, String program, Lease lease, Engine engine) {
    this.store = store;
    this.job = lease.jobId();
    this.attempt = lease.attempt();
    this.fingerprint =
        CheckpointCodec.fingerprint(
            program,
            engine.modelHash(),
            engine.defaultScheduler(),
            engine.arithmetic(),
            lease.job().spec().toJson());
  }

  /** What earlier attempts have left that this one can go on with, one for each picture. */
  public List<Checkpoint> read() {
    List<Checkpoint> usable = new ArrayList<>();
    if (attempt == 1) {
      return usable;
    }
    try {
      for (byte[] file : store.of(job)) {
        CheckpointCodec.read(file, fingerprint)
            .filter(found -> found.attempt() < attempt)
            .filter(found -> attempt - found.attempt() <= ATTEMPTS_MAX)
            .ifPresentOrElse(
                usable::add,
                () -> LOG.info("Job {}: a checkpoint is of no use: damaged, old or other", job));
      }
    } catch (QueueException e) {
      LOG.warn("Job {}: begun anew, its checkpoints cannot be read: {}", job, e.getMessage());
    }
    usable.forEach(found -> known.add(found.index()));
    return usable;
  }

  /** Keeps how far a picture is. */
  public void keep(int index, PaintingState state) {
    if (state.finite()) {
      write(new Checkpoint(index, attempt, new Content.Unfinished(state)));
    }
  }

  /** Keeps that a picture is in the blob store. */
  public void keep(ImageRecord image) {
    write(new Checkpoint(image.index(), attempt, new Content.Stored(image)));
  }

  private void write(Checkpoint checkpoint) {
    byte[] bytes = CheckpointCodec.write(checkpoint, fingerprint);
    if (bytes.length > CheckpointStore.BYTES_MAX) {
      return;
    }
    try {
      known.add(checkpoint.index());
      store.put(job, checkpoint.index(), bytes);
    } catch (QueueException e) {
      LOG.warn("Job {}: no checkpoint: {}", job, e.getMessage());
    }
  }

  /** Forgets them: the job has ended, or what they hold may be to blame. */
  public void clear() {
    if (known.isEmpty()) {
      return;
    }
    try {
      store.remove(job, List.copyOf(known));
    } catch (QueueException e) {
      LOG.warn("Job {}: checkpoints stay until they lapse: {}", job, e.getMessage());
    }
  }
}
