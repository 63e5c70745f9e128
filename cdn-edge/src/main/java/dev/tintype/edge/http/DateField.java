package dev.tintype.edge.http;

import io.vertx.core.http.HttpHeaders;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * The Date of answers (RFC 9110, section 6.6.1), from which caches in front count an answer's age.
 * It is written out once a second.
 */
final class DateField {
  /** IMF-fixdate: two digits for the day, unlike the JDK's own RFC 1123 formatter. */
  private static final DateTimeFormatter FORMAT =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
          .withZone(ZoneOffset.UTC);

  private static final long MS_PER_S = 1_000;

  private final Clock clock;
  private volatile Written last = new Written(Long.MIN_VALUE, "");

  private record Written(long second, CharSequence text) {}

  DateField(Clock clock) {
    this.clock = clock;
  }

  CharSequence now() {
    long second = Math.floorDiv(clock.millis(), MS_PER_S);
    Written written = last;
    if (written.second != second) {
      String text = FORMAT.format(Instant.ofEpochSecond(second));
      written = new Written(second, HttpHeaders.createOptimized(text));
      last = written;
    }
    return written.text;
  }
}
