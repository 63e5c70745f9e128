package dev.tintype.queue.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.queue.job.JobId;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class UrgentSentTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private final RandomGenerator random = new Random(1);
  private final UrgentSent urgent = new UrgentSent();

  private JobId id() {
    return JobId.next(Clock.systemUTC(), random);
  }

  @Test
  void itIsPatientAndForgetsWhatWasTaken() {
    JobId first = id();
    JobId second = id();
    urgent.sent(first, START);
    urgent.sent(second, START.plusMillis(1));
    Instant later = START.plus(UrgentSent.PATIENCE);
    assertThat(urgent.overdue(later.minusMillis(1))).isEmpty();
    assertThat(urgent.overdue(later)).containsExactly(first);
    assertThat(urgent.overdue(later.plusMillis(1))).containsExactly(first, second);
    urgent.taken(List.of(first));
    assertThat(urgent.overdue(later.plusMillis(1))).containsExactly(second);
    urgent.sent(second, later);
    assertThat(urgent.overdue(later.plusMillis(1))).isEmpty();
  }

  @Test
  void itKeepsTheNewestAndAsksForSomeAtATime() {
    List<JobId> many = Stream.generate(this::id).limit(UrgentSent.JOBS_MAX + 3L).toList();
    many.forEach(id -> urgent.sent(id, START));
    assertThat(urgent.overdue(START.plus(UrgentSent.PATIENCE)))
        .isEqualTo(many.subList(3, 3 + UrgentSent.OVERDUE_MAX));
  }
}
