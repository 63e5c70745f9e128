package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Somebody sets clocks under a server that paints; the monotonic ones stay true. */
@Tag("slow")
@Timeout(300)
class ClockJumpTest {
  private static final String SLOW = "a red sun over snowy mountains --steps 60 --seed ";

  private Path data;
  private BadDay day;

  @BeforeEach
  void begin() throws Exception {
    data = Homes.data();
    day = BadDay.of(data);
  }

  @AfterEach
  void end() throws Exception {
    Homes.delete(data);
    if (day != null) { // No compiler, and so skipped.
      day.close();
    }
  }

  @Test
  void neitherAWrongClockOfTheServerNorOneOfTheMachineCostsAnAttempt() throws Exception {
    try (ServerProcess server = ServerProcess.start(data, day.environment());
        Api api = new Api(server.url(), DataFolder.apiKey(data).orElseThrow())) {
      int seed = 1;
      for (Duration ahead : new Duration[] {Duration.ofHours(5), Duration.ofHours(-5)}) {
        String id = painting(api, seed++);
        day.clockOfServer(ahead);
        once(api, id);
      }
      day.clockOfServer(Duration.ZERO);
      for (Duration ahead : new Duration[] {Duration.ofHours(5), Duration.ZERO}) {
        String id = painting(api, seed++);
        day.clockOfServer(ahead);
        day.clockOfDatabase(ahead);
        once(api, id);
      }
      once(api, api.submit("a tree --steps 1"));
      assertThat(server.stop()).isIn(0, 143);
    }
  }

  private static String painting(Api api, int seed) throws Exception {
    String id = api.submit(SLOW + seed);
    api.events(id, event -> event.path("step").asInt() >= 1);
    return id;
  }

  private static void once(Api api, String id) throws Exception {
    JsonNode job = api.await(id);
    assertThat(job.path("attempt").asInt()).as(job.toPrettyString()).isEqualTo(1);
  }
}
