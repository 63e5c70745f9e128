package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.TestPictures;
import java.net.http.HttpRequest.BodyPublishers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pictures that are taken away by an admin. */
@Timeout(60)
class PicturesAdminHttpTest {
  private static final Platform PLATFORM = Platform.shared();
  private static Platform.Server server;
  private static Client admin;

  @BeforeAll
  static void open() {
    server = PLATFORM.serve(GatewayConfig.defaults());
    admin = server.client(PLATFORM.admin());
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static String stored(Client who, int width) {
    Answer answer =
        who.send(
            who.request("/v1/images")
                .header("Content-Type", "image/png")
                .POST(BodyPublishers.ofByteArray(TestPictures.png(width, 9))));
    assertThat(answer.status()).as(answer.text()).isEqualTo(201);
    return answer.json().path("sha256").asText();
  }

  @Test
  void onlyAdminsTakePicturesAway() {
    Platform.User user = PLATFORM.user("standard");
    Client own = server.client(user);
    String sha256 = stored(own, 201);
    own.delete("/v1/admin/images/" + sha256).refusedWith(403, "auth.admin");
    own.delete("/v1/admin/users/" + user.id() + "/images").refusedWith(403, "auth.admin");
    admin.delete("/v1/admin/images/nothing").refusedWith(400, "request.parameter");
    assertThat(PLATFORM.blobs.exists(sha256)).isTrue();
  }

  @Test
  void aPictureIsGoneForAllWhoHaveIt() {
    Client one = server.client(PLATFORM.user("standard"));
    String sha256 = stored(one, 202);
    stored(server.client(PLATFORM.user("standard")), 202);
    assertThat(admin.delete("/v1/admin/images/" + sha256).status()).isEqualTo(204);
    assertThat(PLATFORM.blobs.exists(sha256)).isFalse();
    one.submit("{\"prompt\":\"a\",\"init_image\":\"%s\"}".formatted(sha256))
        .refusedWith(422, "image.unknown");
    assertThat(admin.delete("/v1/admin/images/" + sha256).status()).isEqualTo(204);
  }

  @Test
  void aUsersPicturesGoButNotThoseThatOthersHaveToo() {
    Platform.User user = PLATFORM.user("standard");
    Client own = server.client(user);
    String shared = stored(own, 203);
    stored(server.client(PLATFORM.user("standard")), 203);
    for (int i = 0; i < 101; i++) {
      stored(own, 300 + i);
    }
    String path = "/v1/admin/users/" + user.id() + "/images";
    JsonNode first = admin.delete(path).json();
    assertThat(first.path("purged").asInt()).isEqualTo(100);
    JsonNode rest = admin.delete(path + "?after=" + first.path("next").asText()).json();
    assertThat(rest.path("purged").asInt()).isEqualTo(1);
    assertThat(rest.path("next").isNull()).isTrue();
    assertThat(PLATFORM.blobs.exists(shared)).isTrue();
    assertThat(admin.delete(path).json().path("purged").asInt()).isZero();
    admin.delete(path + "?after=x").refusedWith(400, "request.parameter");
  }
}
