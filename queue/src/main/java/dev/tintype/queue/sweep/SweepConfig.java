package dev.tintype.queue.sweep;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.blob.BlobStore;
import java.time.Duration;
import java.util.Optional;

/**
 * How the sweep works.
 *
 * @param grace a blob that was put less than this ago stays, named or not: its row may be under
 *     way. Default 24 h, at least 6 h: a worker stores a job's pictures one by one and names them
 *     when all are there, and a large job on a CPU takes hours
 * @param coldAfter a blob that was put longer ago is moved to the store's cold class; empty: none
 *     is
 * @param pageBlobs blobs looked at in one turn, 1 to {@link BlobStore#LIST_MAX}, default 1000
 * @param coolMax blobs moved to the cold class in one turn, default 100; each is a request of some
 *     10 ms
 * @param turnEvery between the turns of one walk, by whatever process, default 10 s: 8.6 million
 *     blobs a day
 * @param walkEvery from the end of a walk through the store to the next one, default 24 h
 */
public record SweepConfig(
    Duration grace,
    Optional<Duration> coldAfter,
    int pageBlobs,
    int coolMax,
    Duration turnEvery,
    Duration walkEvery) {
  private static final Duration GRACE_MIN = Duration.ofHours(6);

  public static final SweepConfig DEFAULT =
      new SweepConfig(
          Duration.ofHours(24),
          Optional.empty(),
          BlobStore.LIST_MAX,
          100,
          Duration.ofSeconds(10),
          Duration.ofHours(24));

  public SweepConfig {
    if (grace.compareTo(GRACE_MIN) < 0
        || coldAfter.filter(age -> !age.isPositive()).isPresent()
        || pageBlobs < 1
        || pageBlobs > BlobStore.LIST_MAX
        || coolMax < 1
        || !turnEvery.isPositive()
        || !walkEvery.isPositive()) {
      throw new QueueException.Invalid(
          "sweep.config", "The grace is at least 6 hours, a page 1 to 1000 blobs, times positive.");
    }
  }

  /** The same with other ages. */
  public SweepConfig withAges(Duration otherGrace, Optional<Duration> otherColdAfter) {
    return new SweepConfig(otherGrace, otherColdAfter, pageBlobs, coolMax, turnEvery, walkEvery);
  }
}
