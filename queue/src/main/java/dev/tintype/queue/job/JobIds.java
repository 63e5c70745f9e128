package dev.tintype.queue.job;

import java.time.Clock;
import java.util.Optional;
import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * Draws ids that sort by the order in which they were drawn, also within a millisecond (RFC 9562,
 * section 6.2, method 2): a user's jobs run in the order of their submission to one gateway. Those
 * of two processes, and those before a clock was set back, sort by the clocks. Thread-safe.
 */
public final class JobIds {
  private static final long RANDOM_LOW = 0x3FFF_FFFF_FFFF_FFFFL;
  private static final long RANDOM_HIGH = 0xFFFL;

  /** The distance between two ids of one millisecond is drawn, so that none tells the next. */
  private static final long STEP_MAX = 1L << 40;

  private final Clock clock;
  private final RandomGenerator random;
  private Optional<UUID> last = Optional.empty();

  public JobIds(Clock clock, RandomGenerator random) {
    this.clock = clock;
    this.random = random;
  }

  public synchronized JobId next() {
    UUID drawn = JobId.next(clock, random).uuid();
    UUID id =
        last.filter(one -> millis(one) == millis(drawn))
            .flatMap(one -> after(one, 1 + random.nextLong(STEP_MAX)))
            .orElse(drawn);
    last = Optional.of(id);
    return JobId.of(id);
  }

  private static long millis(UUID id) {
    return id.getMostSignificantBits() >>> 16;
  }

  /** Empty where the random bits run over, which nobody will see. */
  private static Optional<UUID> after(UUID id, long step) {
    long low = (id.getLeastSignificantBits() & RANDOM_LOW) + step;
    long high = id.getMostSignificantBits();
    if ((low & ~RANDOM_LOW) != 0) {
      if ((high & RANDOM_HIGH) == RANDOM_HIGH) {
        return Optional.empty();
      }
      high++;
    }
    return Optional.of(new UUID(high, 0x8000_0000_0000_0000L | low & RANDOM_LOW));
  }
}
