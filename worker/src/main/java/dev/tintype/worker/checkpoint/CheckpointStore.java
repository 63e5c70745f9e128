package dev.tintype.worker.checkpoint;

import dev.tintype.queue.job.JobId;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/**
 * Keeps the newest checkpoint of each picture, and may forget any. Thread-safe. Errors are {@link
 * dev.tintype.queue.QueueException}; who calls goes on without.
 */
public interface CheckpointStore {
  /** Largest checkpoint; the largest latent, 4,096 x 1,024 with history, takes 2 MiB. */
  int BYTES_MAX = 16 * 1024 * 1024;

  /** What waits longer than this in the queue is begun anew. */
  Duration AGE_MAX = Duration.ofHours(2);

  /** Replaces the picture's last one. */
  void put(JobId job, int index, byte[] checkpoint);

  /** All of a job, in no order. */
  List<byte[]> of(JobId job);

  /** Forgets those pictures of a job; what is not there is no error. */
  void remove(JobId job, Collection<Integer> indexes);

  /** Keeps nothing. */
  static CheckpointStore none() {
    return new CheckpointStore() {
      @Override
      public void put(JobId job, int index, byte[] checkpoint) {}

      @Override
      public List<byte[]> of(JobId job) {
        return List.of();
      }

      @Override
      public void remove(JobId job, Collection<Integer> indexes) {}
    };
  }
}
