package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Prompt to picture through all the real parts, in this process. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PictureTest {
  private Path data;
  private Node node;
  private Api api;

  @BeforeAll
  void start() throws IOException {
    data = Homes.data();
    node = Node.open(config(data), (part, found) -> {}, () -> {});
    api = new Api(node.url(), node.apiKey().orElseThrow());
  }

  @AfterAll
  void stop() throws IOException {
    api.close();
    node.close();
    Homes.delete(data);
  }

  /** A batch of four, so that samples do share ticks. */
  static NodeConfig config(Path data) {
    return new SettingsReader(Homes.repository())
        .environment(Map.of())
        .flag("data", data)
        .flag("port", 0)
        .flag("device", "cpu")
        .flag("batch", 4)
        .read();
  }

  @Test
  void thePictureHasItsSizeItsRecipeAndItsOrigin() throws Exception {
    JsonNode job =
        api.await(api.submit("a lighthouse at night --ar 3:2 --seed 11 --steps 3 --no boat"));
    HttpResponse<byte[]> png = api.picture(job, "original");
    assertThat(Api.header(png, "Content-Type")).contains("image/png");
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png.body()));
    JsonNode recipe = job.path("recipe");
    assertThat(image.getWidth()).isEqualTo(recipe.path("width").asInt());
    assertThat(image.getHeight()).isEqualTo(recipe.path("height").asInt());
    assertThat(image.getWidth()).isGreaterThan(image.getHeight());
    String text = new String(png.body(), StandardCharsets.ISO_8859_1);
    assertThat(text)
        .contains(
            "parameters\0a lighthouse at night\nNegative prompt: boat\nSteps: 3, Sampler: ddim")
        .contains("Seed: 11")
        .contains("Model: tintype-mini")
        .contains("trainedAlgorithmicMedia");
  }

  @Test
  void theEdgeServesEveryFormat() throws Exception {
    JsonNode job = api.await(api.submit("a cactus --steps 2 --seed 3"));
    for (String format : List.of("webp", "avif", "jpeg")) {
      HttpResponse<byte[]> variant = api.picture(job, format);
      assertThat(Api.header(variant, "Content-Type")).contains("image/" + format);
      assertThat(variant.body().length).isGreaterThan(100);
    }
    assertThat(api.picture(job, "thumb").body().length).isGreaterThan(100);
  }

  @Test
  void theSameSeedIsTheSamePictureAloneTwiceAndAmongFour() throws Exception {
    byte[] alone = api.paint("a red sun over snowy mountains --seed 7 --steps 4");
    assertThat(api.paint("a red sun over snowy mountains --seed 7 --steps 4")).isEqualTo(alone);
    List<String> ids = new ArrayList<>();
    for (int seed : new int[] {6, 7, 8, 9}) {
      ids.add(api.submit("a red sun over snowy mountains --steps 4 --seed " + seed));
    }
    List<byte[]> among = new ArrayList<>();
    for (String id : ids) {
      among.add(api.picture(api.await(id), "original").body());
    }
    assertThat(among.get(1)).isEqualTo(alone);
    assertThat(among.get(0)).isNotEqualTo(alone);
  }

  @Test
  void eventsTellEveryStageInOrder() throws Exception {
    String id = api.submit("a boat --steps 5");
    List<JsonNode> events = api.eventsToTheEnd(id);
    assertThat(events.stream().map(Api::type))
        .containsSubsequence("queued", "leased", "started", "progress", "image", "succeeded");
    List<Integer> steps =
        events.stream()
            .filter(event -> Api.type(event).equals("progress"))
            .map(event -> event.path("step").asInt())
            .toList();
    assertThat(steps).isSorted().endsWith(5);
    JsonNode timings =
        events.stream()
            .filter(e -> e.has("timings_ms"))
            .findFirst()
            .orElseThrow()
            .path("timings_ms");
    assertThat(timings.properties().stream().map(Map.Entry::getKey))
        .containsExactly("queue", "text", "steps", "decode", "store");
    assertThat(timings.path("steps").asLong()).isPositive();
  }

  @Test
  void aCanceledJobEndsWithinAStep() throws Exception {
    String id = api.submit("a field --steps 150");
    api.events(id, event -> Api.type(event).equals("progress"));
    assertThat(api.cancel(id)).isBetween(200, 299);
    List<JsonNode> events = api.eventsToTheEnd(id);
    assertThat(Api.type(events.getLast())).isEqualTo("canceled");
    List<String> types = events.stream().map(Api::type).toList();
    // Progress is coalesced, so at most the step in flight and the one before it are told after.
    int asked = types.indexOf("cancel_requested");
    assertThat(types.subList(asked, types.size()).stream().filter("progress"::equals).count())
        .isLessThanOrEqualTo(3);
  }

  @Test
  void theKeyIsInTheOwnersFileAndInNoLog() throws Exception {
    String key = node.apiKey().orElseThrow();
    assertThat(Files.getPosixFilePermissions(data.resolve("api-key")))
        .containsExactlyInAnyOrder(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    assertThat(Files.readString(data.resolve("logs/tintype.0.log")))
        .isNotEmpty()
        .doesNotContain(key);
  }
}
