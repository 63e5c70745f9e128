package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.Platform;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Users, keys and tiers, as an admin makes and changes them. On a platform of its own: tiers are
 * everybody's.
 */
@Timeout(60)
class AccountsHttpTest {
  private static final Platform PLATFORM = Platform.own();
  private static final String USERS = "/v1/admin/users";
  private static Platform.Server server;
  private static Client admin;
  private static Client user;

  @BeforeAll
  static void open() {
    // A key is believed for no time, so that nothing has to be waited for.
    server = PLATFORM.serve(GatewayConfig.defaults().withKeyCacheTime(Duration.ZERO));
    admin = server.client(PLATFORM.admin());
    user = server.client(PLATFORM.user("standard"));
  }

  @AfterAll
  static void close() {
    server.close();
    PLATFORM.close();
  }

  private static Client withKey(String name) {
    Answer made = admin.post(USERS + "/" + name + "/keys", "{\"label\": \"laptop\"}");
    assertThat(made.status()).as(made.text()).isEqualTo(201);
    assertThat(made.header("Cache-Control")).isEqualTo("no-store");
    return new Client(server.port, made.json().path("key").asText());
  }

  private static void make(String body) {
    Answer made = admin.post(USERS, body);
    assertThat(made.status()).as(made.text()).isEqualTo(201);
  }

  @Test
  void onlyAdminsGetIn() {
    for (Answer answer :
        List.of(
            user.get(USERS),
            user.post(USERS, "{\"id\": \"x\"}"),
            user.get(USERS + "/x"),
            user.send("PATCH", USERS + "/x", "{\"admin\": true}"),
            user.post(USERS + "/x/keys", "{}"),
            user.delete(USERS + "/x/keys/y"),
            user.send("PUT", "/v1/admin/tiers/free", "{\"weight\": 9}"))) {
      answer.refusedWith(403, "auth.admin");
    }
  }

  @Test
  void aUserIsMadeGetsAKeyAndWorks() {
    make("{\"id\": \"eve@example.org\", \"tier\": \"fast\"}");
    Client eve = withKey("eve@example.org");
    String job = eve.submitted("{\"prompt\": \"a\"}");
    assertThat(eve.get("/v1/jobs/" + job).json().path("tier").asText()).isEqualTo("fast");
    JsonNode seen = admin.get(USERS + "/eve@example.org").json();
    assertThat(seen.path("tier").asText()).isEqualTo("fast");
    assertThat(seen.path("keys")).hasSize(1);
    assertThat(seen.toString()).doesNotContain("tt_");
    String keyId = seen.path("keys").path(0).path("id").asText();

    assertThat(admin.delete(USERS + "/eve@example.org/keys/" + keyId).status()).isEqualTo(204);
    eve.get("/v1/jobs").refusedWith(401, "auth.unknown");
    admin.delete(USERS + "/eve@example.org/keys/" + keyId).refusedWith(404, "account.key");
    assertThat(
            admin
                .get(USERS + "/eve@example.org")
                .json()
                .path("keys")
                .path(0)
                .path("revoked_at")
                .asText())
        .isNotBlank();
  }

  @Test
  void aUserIsShutOutAndLetInAgain() {
    make("{\"id\": \"joe\"}");
    Client joe = withKey("joe");
    String path = USERS + "/joe";
    assertThat(admin.send("PATCH", path, "{\"disabled\": true}").status()).isEqualTo(200);
    joe.get("/v1/jobs").refusedWith(401, "auth.unknown");
    JsonNode changed = admin.send("PATCH", path, "{\"disabled\": false, \"tier\": \"pro\"}").json();
    assertThat(changed.path("tier").asText()).isEqualTo("pro");
    assertThat(joe.get("/v1/jobs").status()).isEqualTo(200);
    assertThat(admin.send("PATCH", path, "{\"admin\": true}").status()).isEqualTo(200);
    assertThat(joe.get("/v1/admin/queue").status()).isEqualTo(200);
    admin.send("PATCH", path, "{\"admin\": false}");
  }

  @Test
  void whatIsWrongIsSaid() {
    admin.post(USERS, "{}").refusedWith(422, "field.missing");
    admin.post(USERS, "{\"id\": \"a b\"}").refusedWith(422, "account.id");
    admin.post(USERS, "{\"id\": \"q\", \"tier\": \"golden\"}").refusedWith(422, "account.tier");
    admin.post(USERS, "{\"id\": \"q\", \"color\": 1}").refusedWith(422, "field.unknown");
    admin.post(USERS, "{\"id\": \"q\", \"admin\": \"yes\"}").refusedWith(422, "field.type");
    make("{\"id\": \"twice\"}");
    admin.post(USERS, "{\"id\": \"twice\"}").refusedWith(422, "account.exists");
    admin.get(USERS + "/nobody").refusedWith(404, "account.unknown");
    admin.send("PATCH", USERS + "/nobody", "{}").refusedWith(404, "account.unknown");
    admin.post(USERS + "/nobody/keys", "{}").refusedWith(404, "account.unknown");
    admin.get(USERS + "?limit=101").refusedWith(400, "request.parameter");
  }

  @Test
  void usersAreListedPageByPage() {
    make("{\"id\": \"0-first\"}");
    make("{\"id\": \"0-second\"}");
    JsonNode page = admin.get(USERS + "?limit=1").json();
    assertThat(page.path("users").path(0).path("id").asText()).isEqualTo("0-first");
    JsonNode next = admin.get(USERS + "?limit=1&after=" + page.path("next").asText()).json();
    assertThat(next.path("users").path(0).path("id").asText()).isEqualTo("0-second");
  }

  @Test
  void aTierIsMadeAndBounds() {
    admin.send("PUT", "/v1/admin/tiers/trial", "{\"weight\": 1}").refusedWith(422, "field.missing");
    Answer made =
        admin.send(
            "PUT",
            "/v1/admin/tiers/trial",
            "{\"weight\": 1, \"max_wait_s\": 7200, \"running_max\": 1, \"queued_max\": 2,"
                + " \"retention_s\": 86400, \"class\": \"relaxed\"}");
    assertThat(made.status()).as(made.text()).isEqualTo(200);
    make("{\"id\": \"guest\", \"tier\": \"trial\"}");
    Client guest = withKey("guest");
    guest.submitted("{\"prompt\": \"a\"}");
    guest.submitted("{\"prompt\": \"b\"}");
    guest.submit("{\"prompt\": \"c\"}").refusedWith(429, "queue.user_full");
    admin.send("PUT", "/v1/admin/tiers/trial", "{\"queued_max\": 3}");
    guest.submitted("{\"prompt\": \"c\"}");
    JsonNode tiers = admin.get("/v1/admin/queue").json().path("tiers");
    assertThat(tiers.path(0).path("name").asText()).isEqualTo("trial");
    assertThat(tiers.path(0).path("queued").asInt()).isEqualTo(3);
    admin.send("PUT", "/v1/admin/tiers/trial", "{\"weight\": 0}").refusedWith(422, "field.range");
    admin
        .send("PUT", "/v1/admin/tiers/trial", "{\"class\": \"first\"}")
        .refusedWith(422, "field.range");
  }
}
