package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The disk of a running server fills up under its real PostgreSQL and its pictures: new jobs are
 * refused with a code, accepted ones are done when there is room again, and nobody has to start
 * anything.
 */
@Tag("slow")
@Timeout(300)
class DiskFullTest {
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(120);

  private final Random random = new Random(11);
  private final List<String> accepted = new ArrayList<>();
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
  void whatWasAcceptedIsDoneOnceThereIsRoomAgain() throws Exception {
    try (ServerProcess server = ServerProcess.start(data, day.environment());
        Api api = new Api(server.url(), DataFolder.apiKey(data).orElseThrow())) {
      Path database = data.resolve("queue/pg");
      accepted.add(api.submit("a red sun --steps 1"));

      // Tables cannot grow: a transaction ends with SQLSTATE 53100, the server lives.
      day.noRoomToGrow(database);
      refused(submitUntil(api, 503), "store\\.full");
      day.roomAgain();
      submitUntil(api, 202);

      // The log of transactions cannot be written: PostgreSQL ends, and cannot start again until
      // there is room.
      ProcessHandle before = postgres(database);
      day.noRoomAtAll(database);
      refused(submitUntil(api, 503), "store\\.[a-z_]+|gateway\\.timeout");
      before.onExit().get(60, TimeUnit.SECONDS);
      day.roomAgain();
      submitUntil(api, 202);

      // The disk of the pictures.
      day.noRoomAtAll(data.resolve("blobs"));
      String waiting = api.submit("a red sun over mountains --steps 1");
      accepted.add(waiting);
      api.events(waiting, event -> event.path("step").asInt() == 1);
      day.roomAgain();

      for (String id : accepted) {
        JsonNode job = api.await(id);
        assertThat(api.picture(job, "original").body()).isNotEmpty();
      }
      assertThat(server.stop()).isIn(0, 143);
    }
  }

  private static ProcessHandle postgres(Path database) throws Exception {
    String pid = Files.readAllLines(database.resolve("postmaster.pid")).getFirst();
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }

  private static void refused(HttpResponse<String> answer, String code) throws Exception {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503);
    JsonNode problem = new ObjectMapper().readTree(answer.body());
    assertThat(problem.path("code").asText()).as(answer.body()).matches(code);
    assertThat(Integer.parseInt(Api.header(answer, "Retry-After").orElseThrow())).isPositive();
  }

  /** Free places in pages are used up first, hence several, each with a body that needs room. */
  private HttpResponse<String> submitUntil(Api api, int status) throws Exception {
    long end = System.nanoTime() + PATIENCE_NS;
    while (true) {
      byte[] noise = new byte[1_500];
      random.nextBytes(noise);
      HttpResponse<String> answer =
          api.trySubmit(Api.body(HexFormat.of().formatHex(noise) + " --steps 1"));
      if (answer.statusCode() == 202) {
        accepted.add(new ObjectMapper().readTree(answer.body()).path("id").asText());
      }
      if (answer.statusCode() == status || System.nanoTime() > end) {
        return answer;
      }
    }
  }
}
