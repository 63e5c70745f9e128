package dev.tintype.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Pictures that start from pictures, through all the real parts. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StartPictureTest {
  private Path data;
  private Node node;
  private Api api;
  private byte[] first;
  private String firstName;

  @BeforeAll
  void start() throws Exception {
    data = Homes.data();
    node = Node.open(PictureTest.config(data), (part, found) -> {}, () -> {});
    api = new Api(node.url(), node.apiKey().orElseThrow());
    first = api.paint("a red sun over snowy mountains --seed 7 --steps 4");
    firstName = api.upload(first);
  }

  @AfterAll
  void stop() throws IOException {
    api.close();
    node.close();
    Homes.delete(data);
  }

  private ObjectNode from(String prompt, double strength) {
    return Api.body(prompt).put("init_image", firstName).put("strength", strength);
  }

  private byte[] paint(ObjectNode body) throws Exception {
    return api.picture(api.await(api.submit(body)), "original").body();
  }

  /** Mean absolute difference of the pixels of a column range, 0 to 255. */
  private static double difference(byte[] one, byte[] other, double fromShare, double toShare)
      throws IOException {
    BufferedImage a = ImageIO.read(new ByteArrayInputStream(one));
    BufferedImage b = ImageIO.read(new ByteArrayInputStream(other));
    long sum = 0;
    long count = 0;
    for (int x = (int) (a.getWidth() * fromShare); x < a.getWidth() * toShare; x++) {
      for (int y = 0; y < a.getHeight(); y++) {
        for (int shift = 0; shift < 24; shift += 8) {
          sum += Math.abs((a.getRGB(x, y) >> shift & 0xff) - (b.getRGB(x, y) >> shift & 0xff));
          count++;
        }
      }
    }
    return (double) sum / count;
  }

  @Test
  void aPictureStartsFromAPictureAndIsTheSameEachTime() throws Exception {
    byte[] little = paint(from("a desert at noon --seed 3 --steps 8", 0.25));
    assertThat(paint(from("a desert at noon --seed 3 --steps 8", 0.25))).isEqualTo(little);
    byte[] much = paint(from("a desert at noon --seed 3 --steps 8", 1));
    assertThat(difference(first, little, 0, 1)).isLessThan(difference(first, much, 0, 1));
    assertThat(new String(little, StandardCharsets.ISO_8859_1))
        .contains("Denoising strength: 0.25");
  }

  @Test
  void theRecipeOfAJobPostedAgainGivesTheSamePicture() throws Exception {
    JsonNode job = api.await(api.submit(from("a forest --seed 9 --steps 6", 0.5)));
    byte[] again = paint((ObjectNode) job.path("recipe").deepCopy());
    assertThat(again).isEqualTo(api.picture(job, "original").body());
    assertThat(job.path("images").path(0).path("thumb_hash").asText()).hasSizeBetween(20, 40);
  }

  @Test
  void whatLiesOutsideTheMaskStays() throws Exception {
    BufferedImage picture = ImageIO.read(new ByteArrayInputStream(first));
    BufferedImage half =
        new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_BYTE_GRAY);
    half.getRaster()
        .setSamples(
            half.getWidth() / 2,
            0,
            half.getWidth() / 2,
            half.getHeight(),
            0,
            white(half.getWidth() / 2 * half.getHeight()));
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    ImageIO.write(half, "png", file);
    String mask = api.upload(file.toByteArray());
    ObjectNode body =
        Api.body("a city at night, neon --seed 5 --steps 6")
            .put("init_image", firstName)
            .put("mask", mask);
    byte[] painted = paint(body);
    assertThat(paint(body.put("negative_prompt", ""))).isEqualTo(painted);
    // The VAE's own loss is what the kept half shows; the other half is another picture.
    double kept = difference(first, painted, 0, 0.4);
    double anew = difference(first, painted, 0.6, 1);
    assertThat(kept * 2).isLessThan(anew);
  }

  private static int[] white(int pixels) {
    int[] values = new int[pixels];
    java.util.Arrays.fill(values, 255);
    return values;
  }

  @Test
  void aPictureThatCannotBeDecodedFailsTheJobWithItsCode() throws Exception {
    byte[] cut = java.util.Arrays.copyOf(first, 60);
    ObjectNode body = Api.body("a field --steps 2").put("init_image", api.upload(cut));
    String id = api.submit(body);
    api.eventsToTheEnd(id);
    JsonNode job = api.job(id);
    assertThat(job.path("state").asText()).isEqualTo("failed");
    assertThat(job.path("error").path("code").asText()).isEqualTo("worker.image");
  }

  @Test
  void aPictureThatAnAdminRemovedIsGoneFromStoreAndEdge() throws Exception {
    JsonNode job = api.await(api.submit("a lake at dawn --seed 41 --steps 2"));
    for (String which : List.of("original", "webp", "thumb")) {
      assertThat(api.status(job, which)).as(which).isEqualTo(200);
    }
    assertThat(api.purge(job.path("images").path(0).path("sha256").asText())).isEqualTo(204);
    long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    for (String which : List.of("thumb", "webp", "original", "avif")) {
      while (api.status(job, which) != 410) {
        assertThat(System.nanoTime()).as(which + " is refused in time").isLessThan(end);
      }
    }
  }
}
