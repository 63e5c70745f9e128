package dev.tintype.worker.checkpoint;

import dev.tintype.queue.job.ImageRecord;
import dev.tintype.worker.engine.PaintingState;

/**
 * How far one picture of a job is.
 *
 * @param index of the picture in its job
 * @param attempt that wrote it: the fence
 */
public record Checkpoint(int index, int attempt, Content content) {
  /** What is known of the picture. */
  public sealed interface Content {
    /** Between two steps. */
    record Unfinished(PaintingState state) implements Content {}

    /** Painted and in the blob store, but its job was not ended yet. */
    record Stored(ImageRecord image) implements Content {}
  }
}
