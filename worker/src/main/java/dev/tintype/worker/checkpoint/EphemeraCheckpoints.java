package dev.tintype.worker.checkpoint;

import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.job.JobId;
import java.util.Collection;
import java.util.List;

/** In the memory that a fleet shares, where any worker finds them. */
public final class EphemeraCheckpoints implements CheckpointStore {
  private final Ephemera ephemera;

  public EphemeraCheckpoints(Ephemera ephemera) {
    this.ephemera = ephemera;
  }

  private static String folder(JobId job) {
    return "checkpoint/" + job + "/";
  }

  @Override
  public void put(JobId job, int index, byte[] checkpoint) {
    ephemera.put(folder(job) + index, checkpoint, AGE_MAX);
  }

  @Override
  public List<byte[]> of(JobId job) {
    return List.copyOf(ephemera.list(folder(job)).values());
  }

  @Override
  public void remove(JobId job, Collection<Integer> indexes) {
    indexes.forEach(index -> ephemera.remove(folder(job) + index));
  }
}
