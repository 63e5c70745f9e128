package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.pipeline.ModelWeights;
import dev.tintype.worker.WorkerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two models on the CPU in one worker whose budget holds one of them. */
@Timeout(300)
class SeveralModelsTest {
  private Path data;
  private Path shelf;

  @BeforeEach
  void open() throws IOException {
    data = Homes.data();
    shelf = Files.createDirectories(data.resolve("shelf"));
    for (String name : List.of("one", "two")) {
      Files.move(Homes.copyOfModel(shelf), shelf.resolve(name));
    }
  }

  @AfterEach
  void close() throws IOException {
    Homes.delete(data);
  }

  private NodeConfig config(long megabytes) {
    return new SettingsReader(Homes.repository())
        .environment(Map.of("TINTYPE_WORKER_MEMORY_MB", Long.toString(megabytes)))
        .flag("data", data.resolve("data"))
        .flag("port", 0)
        .flag("device", "cpu")
        .flag("models", shelf)
        .read();
  }

  private long megabytesOfOne() {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      return ModelWeights.bytes(shelf.resolve("one"), device) / 1_000_000 + 1;
    }
  }

  @Test
  void eachIsLoadedWhenItIsAskedForAndTheOtherMakesRoom() throws Exception {
    NodeConfig config = config(megabytesOfOne());
    try (Node node = Node.open(config, (part, found) -> {}, () -> {});
        Api api = new Api(node.url(), node.apiKey().orElseThrow())) {
      List<String> ids = new ArrayList<>();
      for (String model : List.of("one", "two", "two", "one", "two", "one")) {
        ids.add(api.submit(Api.body("a cactus --steps 2 --seed 3").put("model", model)));
      }
      Set<String> pictures = new HashSet<>();
      for (String id : ids) {
        JsonNode job = api.await(id);
        assertThat(job.path("state").asText()).as(job.toString()).isEqualTo("succeeded");
        assertThat(job.path("attempt").asInt(1)).isEqualTo(1);
        pictures.add(job.path("images").get(0).path("sha256").asText());
      }
      // The file tells the model's name; what is painted is the same, loaded anew or not.
      assertThat(pictures).hasSize(2);
      JsonNode worker = api.get("/v1/admin/workers").path("workers").get(0);
      assertThat(worker.path("serves")).hasSize(2);
      assertThat(worker.path("resident")).hasSizeLessThanOrEqualTo(1);
    }
  }

  @Test
  void aModelThatIsLargerThanTheBudgetIsRefusedWithItsNumbers() {
    assertThatThrownBy(() -> Node.open(config(1), (part, found) -> {}, () -> {}).close())
        .isInstanceOfSatisfying(
            WorkerException.class, e -> assertThat(e.code()).isEqualTo("worker.model_too_large"))
        .hasMessageContaining("1,000,000");
  }
}
