package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.gateway.images.ImagesApi;
import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.TestPictures;
import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.store.UploadStore;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pictures to start from: what is taken, whose they are, and the jobs that name them. */
@Timeout(60)
class ImagesHttpTest {
  private static final Platform PLATFORM = Platform.shared();
  private static Platform.Server server;
  private final Client client = server.client(PLATFORM.user("standard"));

  @BeforeAll
  static void open() {
    server = PLATFORM.serve(GatewayConfig.defaults());
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static Answer send(Client who, String type, byte[] file) {
    return who.send(
        who.request("/v1/images")
            .header("Content-Type", type)
            .POST(BodyPublishers.ofByteArray(file)));
  }

  private static String stored(Client who, byte[] file) {
    Answer answer = send(who, "application/octet-stream", file);
    assertThat(answer.status()).as(answer.text()).isEqualTo(201);
    return answer.json().path("sha256").asText();
  }

  @Test
  void pngAndJpegAreStoredUnderTheirDigest() {
    Answer png = send(client, "image/png", TestPictures.png(40, 24));
    assertThat(png.status()).as(png.text()).isEqualTo(201);
    assertThat(png.json().path("width").asInt()).isEqualTo(40);
    assertThat(png.json().path("height").asInt()).isEqualTo(24);
    assertThat(PLATFORM.blobs.exists(png.json().path("sha256").asText())).isTrue();
    Answer jpeg = send(client, "image/jpeg", TestPictures.jpeg(33, 17));
    assertThat(jpeg.json().path("media_type").asText()).isEqualTo("image/jpeg");
    assertThat(jpeg.json().path("width").asInt()).isEqualTo(33);
    assertThat(jpeg.json().path("height").asInt()).isEqualTo(17);
    assertThat(send(client, "image/png", TestPictures.png(40, 24)).json()).isEqualTo(png.json());
  }

  @Test
  void whatIsNoPictureIsRefusedByItsHeader() {
    byte[] png = TestPictures.png(8, 8);
    send(client, "image/png", new byte[0]).refusedWith(415, "image.format");
    send(client, "image/png", "GIF89a......".getBytes()).refusedWith(415, "image.format");
    send(client, "image/webp", png).refusedWith(415, "request.content_type");
    send(client, "image/png", Arrays.copyOf(png, 20)).refusedWith(422, "image.broken");
    send(client, "image/jpeg", Arrays.copyOf(TestPictures.jpeg(8, 8), 40))
        .refusedWith(422, "image.broken");
    ByteBuffer.wrap(png).putInt(16, 0x7fffffff);
    send(client, "image/png", png).refusedWith(422, "image.too_large");
    ByteBuffer.wrap(png).putInt(16, 8000).putInt(20, 8000);
    send(client, "image/png", png).refusedWith(422, "image.too_large");
    ByteBuffer.wrap(png).putInt(16, -1);
    send(client, "image/png", png).refusedWith(422, "image.broken");
    send(client, "image/png", new byte[ImagesApi.UPLOAD_BYTES_MAX + 1])
        .refusedWith(413, "body.too_large");
  }

  @Test
  void aJobMayStartFromItsOwnersPicturesOnly() {
    String picture = stored(client, TestPictures.png(16, 16));
    String body = "{\"prompt\":\"a\",\"init_image\":\"%s\",\"strength\":0.5}".formatted(picture);
    Answer job = client.submit(body);
    assertThat(job.status()).as(job.text()).isEqualTo(202);
    assertThat(job.json().path("recipe").path("init_image").asText()).isEqualTo(picture);
    assertThat(job.json().path("recipe").path("strength").asDouble()).isEqualTo(0.5);
    assertThat(job.json().path("recipe").path("mask").isNull()).isTrue();
    Answer stranger = server.client(PLATFORM.user("standard")).submit(body);
    stranger.refusedWith(422, "image.unknown");
    client
        .submit(
            "{\"prompt\":\"a\",\"init_image\":\"%s\",\"mask\":\"%s\"}"
                .formatted(picture, "0".repeat(64)))
        .refusedWith(422, "image.unknown");
  }

  @Test
  void aReplayIsAnsweredThoughItsPictureWasSwept() {
    Platform.User user = PLATFORM.user("standard");
    Client own = server.client(user);
    String picture = stored(own, TestPictures.png(16, 16));
    String body = "{\"prompt\":\"a\",\"init_image\":\"%s\"}".formatted(picture);
    Answer first = own.submit(body, "Idempotency-Key", "swept");
    assertThat(first.status()).as(first.text()).isEqualTo(202);
    PLATFORM.sweepUploads(user);
    Answer again = own.submit(body, "Idempotency-Key", "swept");
    assertThat(again.status()).as(again.text()).isEqualTo(202);
    assertThat(again.json().path("id")).isEqualTo(first.json().path("id"));
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    own.submit(body.replace("\"a\"", "\"b\""), "Idempotency-Key", "swept")
        .refusedWith(422, "idempotency.conflict");
    own.submit(body, "Idempotency-Key", "new").refusedWith(422, "image.unknown");
  }

  @Test
  void whoIsFullStoresNothingNew() {
    Platform.User user = PLATFORM.user("standard");
    Client own = server.client(user);
    byte[] known = TestPictures.png(11, 13);
    stored(own, known);
    PLATFORM.fillUploads(user, UploadStore.UPLOADS_PER_USER_MAX - 1);
    byte[] fresh = TestPictures.png(13, 11);
    send(own, "image/png", fresh).refusedWith(429, "image.limit");
    assertThat(PLATFORM.blobs.exists(Sha256.hex(fresh))).isFalse();
    assertThat(stored(own, known)).isEqualTo(Sha256.hex(known));
  }

  @Test
  void fieldsThatDoNotFitEachOtherAreRefused() {
    String picture = stored(client, TestPictures.png(16, 16));
    client.submit("{\"prompt\":\"a\",\"strength\":0.5}").refusedWith(422, "field.conflict");
    client
        .submit("{\"prompt\":\"a\",\"mask\":\"%s\"}".formatted(picture))
        .refusedWith(422, "field.conflict");
    client.submit("{\"prompt\":\"a\",\"init_image\":\"x\"}").refusedWith(422, "field.type");
    client
        .submit(
            "{\"prompt\":\"a --steps 4\",\"init_image\":\"%s\",\"strength\":0.2}"
                .formatted(picture))
        .refusedWith(422, "field.range");
  }
}
