package dev.tintype.queue.job;

import dev.tintype.queue.QueueException;
import java.time.Clock;
import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * The id of a job: a UUID of version 7 (RFC 9562) in its canonical lower-case form, so that ids
 * sort by time of creation and new rows land at the end of their index.
 *
 * @param value 36 characters, such as {@code 019ab0f2-6a31-7c55-b0f2-3d1c8f1b7a10}
 */
public record JobId(String value) implements Comparable<JobId> {
  /** Refuses what is not a canonical UUID of version 7 with code {@code job.id}. */
  public JobId {
    if (!isCanonical(value)) {
      throw new QueueException.Invalid(
          "job.id",
          "A job id is a UUID of version 7 in lower case; take it from the answer to the"
              + " submission.");
    }
  }

  /** A new id for the present moment of the clock; the 74 random bits come from {@code random}. */
  public static JobId next(Clock clock, RandomGenerator random) {
    long millis = clock.millis() & 0xFFFF_FFFF_FFFFL;
    long high = millis << 16 | 0x7000L | random.nextLong() & 0xFFFL;
    long low = 0x8000_0000_0000_0000L | random.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL;
    return new JobId(new UUID(high, low).toString());
  }

  public static JobId of(UUID uuid) {
    return new JobId(uuid.toString());
  }

  public UUID uuid() {
    return UUID.fromString(value);
  }

  @Override
  public int compareTo(JobId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }

  private static boolean isCanonical(String value) {
    if (value == null || value.length() != 36 || value.charAt(14) != '7') {
      return false;
    }
    for (int i = 0; i < 36; i++) {
      char c = value.charAt(i);
      boolean dash = i == 8 || i == 13 || i == 18 || i == 23;
      if (dash ? c != '-' : !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f')) {
        return false;
      }
    }
    return "89ab".indexOf(value.charAt(19)) >= 0;
  }
}
