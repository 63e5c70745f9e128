package dev.tintype.queue.sweep;

/**
 * What a sweep found.
 *
 * @param seen blobs looked at
 * @param seenBytes their bytes
 * @param orphans blobs that nothing names and that are old enough to go
 * @param orphanBytes their bytes
 * @param young blobs that nothing names yet and whose grace time runs
 * @param youngBytes their bytes
 * @param cooled blobs moved to the cold class
 */
public record Tally(
    long seen,
    long seenBytes,
    long orphans,
    long orphanBytes,
    long young,
    long youngBytes,
    long cooled) {
  public static final Tally NONE = new Tally(0, 0, 0, 0, 0, 0, 0);

  public Tally plus(Tally other) {
    return new Tally(
        seen + other.seen,
        seenBytes + other.seenBytes,
        orphans + other.orphans,
        orphanBytes + other.orphanBytes,
        young + other.young,
        youngBytes + other.youngBytes,
        cooled + other.cooled);
  }

  static Tally seen(long bytes) {
    return new Tally(1, bytes, 0, 0, 0, 0, 0);
  }

  static Tally orphan(long bytes) {
    return new Tally(0, 0, 1, bytes, 0, 0, 0);
  }

  static Tally young(long bytes) {
    return new Tally(0, 0, 0, 0, 1, bytes, 0);
  }

  static Tally oneCooled() {
    return new Tally(0, 0, 0, 0, 0, 0, 1);
  }
}
