package dev.tintype.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tintype.gateway.testing.Client;
import dev.tintype.gateway.testing.Client.Answer;
import dev.tintype.gateway.testing.EventReader;
import dev.tintype.gateway.testing.Platform;
import dev.tintype.gateway.testing.TestPictures;
import dev.tintype.gateway.testing.TestWorker;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.Draft;
import io.vertx.json.schema.JsonSchema;
import io.vertx.json.schema.JsonSchemaOptions;
import io.vertx.json.schema.OutputFormat;
import io.vertx.json.schema.OutputUnit;
import io.vertx.json.schema.Validator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The documents say what the code does: OpenAPI against real answers. */
@Timeout(60)
class OpenApiTest {
  private static final String SCHEMAS = "#/components/schemas/";
  private static final Platform PLATFORM = Platform.shared();
  private static Platform.Server server;
  private static JsonObject document;

  @BeforeAll
  static void open() {
    server = PLATFORM.serve(GatewayConfig.defaults());
    Answer answer = new Client(server.port, "").get("/openapi.json");
    assertThat(answer.header("Content-Type")).isEqualTo("application/json");
    document = new JsonObject(answer.text());
  }

  @AfterAll
  static void close() {
    server.close();
  }

  /** Checks an answer against the document's schema for that operation, status and media type. */
  private static void conforms(Answer answer, String path, String method) {
    JsonObject operation =
        document.getJsonObject("paths").getJsonObject(path).getJsonObject(method);
    JsonObject response =
        operation.getJsonObject("responses").getJsonObject(Integer.toString(answer.status()));
    assertThat(response).as(method + " " + path + " has no " + answer.status()).isNotNull();
    if (response.containsKey("$ref")) {
      String name = response.getString("$ref").replace("#/components/responses/", "");
      response =
          document.getJsonObject("components").getJsonObject("responses").getJsonObject(name);
    }
    JsonObject media =
        response.getJsonObject("content").getJsonObject(answer.header("Content-Type"));
    assertThat(media)
        .as(method + " " + path + " has no " + answer.header("Content-Type"))
        .isNotNull();
    conforms(answer.text(), media.getJsonObject("schema").getString("$ref"));
    for (String header : response.getJsonObject("headers", new JsonObject()).fieldNames()) {
      if (!header.equals("Idempotency-Replayed")) {
        assertThat(answer.header(header)).as(header).isNotNull();
      }
    }
  }

  private static void conforms(String json, String ref) {
    OutputUnit result = validate(new JsonObject(json), ref);
    assertThat(result.getValid())
        .as(() -> ref + ": " + result.toJson().encodePrettily() + "\n" + json)
        .isTrue();
  }

  private static OutputUnit validate(JsonObject instance, String ref) {
    JsonSchemaOptions options =
        new JsonSchemaOptions()
            .setDraft(Draft.DRAFT202012)
            .setBaseUri("app://test")
            .setOutputFormat(OutputFormat.Basic);
    // The validator finds definitions under $defs only.
    String schemas = document.getJsonObject("components").getJsonObject("schemas").encode();
    JsonObject schema =
        new JsonObject()
            .put("$ref", ref.replace(SCHEMAS, "#/$defs/"))
            .put("$defs", new JsonObject(schemas.replace(SCHEMAS, "#/$defs/")));
    return Validator.create(JsonSchema.of(schema), options).validate(instance);
  }

  @Test
  void theValidatorSeesWhatIsWrong() {
    assertThat(
            validate(new JsonObject().put("status", "ok"), "#/components/schemas/Health")
                .getValid())
        .isTrue();
    assertThat(
            validate(new JsonObject().put("status", "ill"), "#/components/schemas/Health")
                .getValid())
        .isFalse();
    assertThat(
            validate(
                    new JsonObject().put("status", "ok").put("x", 1), "#/components/schemas/Health")
                .getValid())
        .isFalse();
    assertThat(
            validate(
                    new JsonObject().put("prompt", "a").put("steps", 151),
                    "#/components/schemas/SubmitJob")
                .getValid())
        .isFalse();
  }

  @Test
  void answersConform() {
    Client client = server.client(PLATFORM.user("standard"));
    String body = "{\"prompt\": \"a\", \"images\": 2, \"model\": null, \"steps\": 5.0}";
    conforms(body, "#/components/schemas/SubmitJob");
    Answer submitted = client.submit(body);
    conforms(submitted, "/v1/jobs", "post");
    String id = submitted.json().path("id").asText();
    String path = "/v1/jobs/" + id;
    conforms(client.get(path), "/v1/jobs/{id}", "get");
    TestWorker worker = TestWorker.take(PLATFORM.jobs, id).progress(1).preview(1, 10);
    conforms(client.get(path), "/v1/jobs/{id}", "get");
    conforms(client.delete(path), "/v1/jobs/{id}", "delete");
    worker.timings("{\"text\":5}").finish();
    conforms(client.get(path), "/v1/jobs/{id}", "get");
    conforms(client.delete(path), "/v1/jobs/{id}", "delete");
    conforms(client.get("/v1/jobs"), "/v1/jobs", "get");
    conforms(client.get("/v1/jobs?limit=0"), "/v1/jobs", "get");
    conforms(client.get("/v1/models"), "/v1/models", "get");
    conforms(
        client.send(
            client
                .request("/v1/images")
                .header("Content-Type", "image/png")
                .POST(
                    java.net.http.HttpRequest.BodyPublishers.ofByteArray(TestPictures.png(8, 8)))),
        "/v1/images",
        "post");
    conforms(client.get("/v1/jobs/x"), "/v1/jobs/{id}", "get");
    conforms(client.get("/v1/jobs/x/events"), "/v1/jobs/{id}/events", "get");
    conforms(new Client(server.port, "").get("/v1/models"), "/v1/models", "get");
    conforms(client.get("/healthz"), "/healthz", "get");
    conforms(client.get("/readyz"), "/readyz", "get");
    conforms(client.submit("{"), "/v1/jobs", "post");
    conforms(client.submit("{}"), "/v1/jobs", "post");
    String dead = client.submitted("{\"prompt\": \"dead\"}");
    TestWorker.bury(PLATFORM.jobs, dead);
    Client admin = server.client(PLATFORM.admin());
    conforms(admin.get("/v1/admin/queue"), "/v1/admin/queue", "get");
    conforms(admin.get("/v1/admin/workers"), "/v1/admin/workers", "get");
    conforms(admin.get("/v1/admin/scale"), "/v1/admin/scale", "get");
    conforms(admin.get("/v1/admin/dead"), "/v1/admin/dead", "get");
    conforms(client.get("/v1/admin/dead"), "/v1/admin/dead", "get");
    conforms(admin.get("/v1/admin/dead/" + dead), "/v1/admin/dead/{id}", "get");
    conforms(admin.get("/v1/admin/dead/" + id), "/v1/admin/dead/{id}", "get");
    conforms(
        admin.post("/v1/admin/dead/" + dead + "/redrive"), "/v1/admin/dead/{id}/redrive", "post");
    String users = "/v1/admin/users";
    conforms(admin.post(users, "{\"id\": \"open.api\"}"), users, "post");
    conforms(admin.post(users, "{\"id\": \"open.api\"}"), users, "post");
    conforms(admin.get(users), users, "get");
    conforms(
        admin.post(users + "/open.api/keys", "{\"label\": \"a\"}"), users + "/{user}/keys", "post");
    conforms(admin.get(users + "/open.api"), users + "/{user}", "get");
    conforms(
        admin.send("PATCH", users + "/open.api", "{\"tier\": \"fast\"}"),
        users + "/{user}",
        "patch");
    conforms(admin.delete(users + "/open.api/keys/none"), users + "/{user}/keys/{key}", "delete");
    conforms(
        admin.send("PUT", "/v1/admin/tiers/pro", "{\"weight\": 16}"),
        "/v1/admin/tiers/{tier}",
        "put");
    String recipe = client.get(path).json().path("recipe").toString();
    conforms(recipe, "#/components/schemas/SubmitJob");
    try (EventReader stream = client.events(id, 0)) {
      List<EventReader.Event> events = stream.rest();
      assertThat(events)
          .extracting(EventReader.Event::type)
          .contains("queued", "progress", "preview", "succeeded");
      events.forEach(event -> conforms(event.data().toString(), "#/components/schemas/Event"));
    }
  }

  @Test
  void everyPathOfTheDocumentIsThereWithItsMethods() {
    Client client = server.client(PLATFORM.user("standard"));
    for (String path : document.getJsonObject("paths").fieldNames()) {
      Answer options =
          client.send(
              client
                  .request(path.replaceAll("\\{[a-z0-9]+}", "019ab0f2-6a31-7c55-b0f2-3d1c8f1b7a10"))
                  .method("OPTIONS", java.net.http.HttpRequest.BodyPublishers.noBody()));
      Set<String> documented =
          document.getJsonObject("paths").getJsonObject(path).fieldNames().stream()
              .filter(name -> !name.equals("parameters"))
              .map(String::toUpperCase)
              .collect(Collectors.toCollection(TreeSet::new));
      Set<String> served = new TreeSet<>(List.of(options.header("Allow").split(", ")));
      served.removeAll(Set.of("HEAD", "OPTIONS"));
      assertThat(served).as(path).isEqualTo(documented);
    }
  }

  /** That it is complete is looked after in the node's tests, which see all modules. */
  @Test
  void theErrorCodesAreServed() throws IOException {
    Answer page = new Client(server.port, "").get("/docs/errors.md");
    assertThat(page.text()).isEqualTo(Files.readString(Path.of("../docs/errors.md")));
  }

  @Test
  void schemasNameEveryStateAndEventOfTheQueue() {
    Map<String, Object> schemas =
        document.getJsonObject("components").getJsonObject("schemas").getMap();
    assertThat(new JsonObject(Map.of("s", schemas)).encode())
        .contains(
            Stream.concat(
                    Stream.of(dev.tintype.queue.job.JobState.values())
                        .map(state -> "\"" + state.wire() + "\""),
                    Stream.of(dev.tintype.queue.job.EventType.values())
                        .map(type -> "\"" + type.wire() + "\""))
                .toList());
    JsonNode none = new Client(server.port, "").get("/openapi.json").json().path("openapi");
    assertThat(none.asText()).isEqualTo("3.1.0");
  }
}
