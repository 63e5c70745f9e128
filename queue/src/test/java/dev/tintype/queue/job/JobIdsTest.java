package dev.tintype.queue.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class JobIdsTest {
  private static final Clock STILL =
      Clock.fixed(Instant.parse("2026-11-26T20:00:00Z"), ZoneOffset.UTC);

  @Test
  void withinAMillisecondTheySortAsTheyWereDrawn() {
    JobIds ids = new JobIds(STILL, new Random(1));
    List<JobId> drawn = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      drawn.add(ids.next());
    }
    assertThat(drawn).isSorted().doesNotHaveDuplicates();
    assertThat(drawn.getFirst().value().substring(0, 13))
        .isEqualTo(drawn.getLast().value().substring(0, 13));
  }

  @Test
  void theRandomBitsMayRunOver() {
    RandomGenerator ones = () -> -1L;
    JobIds ids = new JobIds(STILL, ones);
    JobId first = ids.next();
    assertThat(first.value()).endsWith("-7fff-bfff-ffffffffffff");
    assertThat(ids.next()).as("still an id").isNotNull();
  }

  @Test
  void noTwoThreadsDrawTheSame() throws Exception {
    JobIds ids = new JobIds(Clock.systemUTC(), new Random(2));
    Set<JobId> all = ConcurrentHashMap.newKeySet();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 4; i++) {
        threads.submit(
            () -> {
              for (int k = 0; k < 5_000; k++) {
                all.add(ids.next());
              }
            });
      }
    }
    assertThat(all).hasSize(20_000);
  }
}
