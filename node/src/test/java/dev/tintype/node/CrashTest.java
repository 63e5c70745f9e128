package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A whole server is killed and started again: what was accepted is finished, once. */
@Tag("slow")
class CrashTest {
  private static final String PROMPT = "a red sun over snowy mountains --seed 7 --steps ";

  private Path data;

  @BeforeEach
  void folder() throws Exception {
    data = Homes.data();
  }

  @AfterEach
  void clean() throws Exception {
    Homes.delete(data);
  }

  @Test
  void aJobOutlivesKillMinus9AndItsResultAppearsOnce() throws Exception {
    String killed;
    try (ServerProcess server = ServerProcess.start(data);
        Api api = api(server)) {
      killed = api.submit(PROMPT + 80);
      api.events(killed, event -> event.path("step").asInt() >= 25);
      server.kill();
    }
    try (ServerProcess server = ServerProcess.start(data);
        Api api = api(server)) {
      JsonNode job = api.await(killed);
      assertThat(job.path("attempt").asInt()).isEqualTo(2);
      assertThat(job.path("images")).hasSize(1);
      List<JsonNode> events = api.eventsToTheEnd(killed);
      List<String> types = events.stream().map(Api::type).toList();
      assertThat(types).containsOnlyOnce("succeeded").endsWith("succeeded");
      // It lost at most the steps since the last checkpoint.
      assertThat(firstStepOf(2, events)).isGreaterThan(20);
      // The restarted picture is the one that an undisturbed run paints.
      byte[] png = api.picture(job, "original").body();
      assertThat(api.paint(PROMPT + 80)).isEqualTo(png);
      assertThat(server.stop()).isIn(0, 143);
    }
  }

  @Test
  void afterARestartTheSameSeedIsTheSamePicture() throws Exception {
    String job;
    try (ServerProcess server = ServerProcess.start(data);
        Api api = api(server)) {
      job = api.submit(PROMPT + 4);
      api.await(job);
      assertThat(server.stop()).isIn(0, 143);
    }
    // As after a first start that was killed before it wrote the file: another key is made.
    Files.delete(data.resolve("api-key"));
    try (ServerProcess server = ServerProcess.start(data);
        Api api = api(server)) {
      byte[] before = api.picture(api.job(job), "original").body();
      assertThat(api.paint(PROMPT + 4)).isEqualTo(before);
    }
  }

  private static int firstStepOf(int attempt, List<JsonNode> events) {
    return events.stream()
        .filter(event -> event.path("attempt").asInt() == attempt && event.has("step"))
        .mapToInt(event -> event.path("step").asInt())
        .findFirst()
        .orElse(0);
  }

  private Api api(ServerProcess server) {
    return new Api(server.url(), DataFolder.apiKey(data).orElseThrow());
  }
}
