package dev.tintype.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Users and their keys, through the admin API of a running server. */
@Command(
    name = "users",
    description = "Lists users; adds and changes them and their keys.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Needs a running server and the key of an admin.",
      "",
      "Examples:",
      "  tintype users",
      "  tintype users add eve@example.org --tier fast      prints the key, once",
      "  tintype users set eve@example.org --tier pro",
      "  tintype users set eve@example.org --disabled true",
      "  tintype users add-key eve@example.org --label laptop",
      "  tintype users show eve@example.org",
      "  tintype users revoke-key eve@example.org 3f2a51c09b7e"
    })
final class UsersCommand implements Runnable {
  private static final String USERS = "/v1/admin/users";

  @Mixin RemoteOptions remote;

  @Option(names = "--json", description = "One JSON object.")
  boolean json;

  static String path(String user) {
    return USERS + "/" + encoded(user);
  }

  /** As a part of a path. */
  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  @Override
  public void run() {
    ArrayNode all = ApiClient.object().putArray("users");
    try (ApiClient client = remote.client()) {
      String after = "";
      do {
        JsonNode page = client.get(USERS + "?limit=100" + after);
        page.path("users").forEach(all::add);
        after = page.path("next").isTextual() ? "&after=" + encoded(page.get("next").asText()) : "";
      } while (!after.isEmpty());
    }
    if (json) {
      System.out.println(ApiClient.object().set("users", all).toString());
      return;
    }
    all.forEach(UsersCommand::print);
  }

  private static void print(JsonNode user) {
    System.out.printf(
        "%-32s %-12s %s%s%n",
        user.path("id").asText(),
        user.path("tier").asText(),
        user.path("admin").asBoolean() ? "admin " : "",
        user.path("disabled").asBoolean() ? "disabled" : "");
  }

  private static void printWhole(JsonNode user) {
    print(user);
    for (JsonNode key : user.path("keys")) {
      System.out.printf(
          "  key %-14s made %s%s  %s%n",
          key.path("id").asText(),
          key.path("created_at").asText(),
          key.path("revoked_at").isTextual() ? ", revoked " + key.path("revoked_at").asText() : "",
          key.path("label").asText());
    }
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      description = "One user with the names of the keys.")
  void show(
      @Mixin RemoteOptions remote,
      @Parameters(paramLabel = "USER") String user,
      @Option(names = "--json", description = "One JSON object.") boolean json) {
    try (ApiClient client = remote.client()) {
      answer(client.get(path(user)), json);
    }
  }

  @Command(
      name = "add",
      mixinStandardHelpOptions = true,
      description = "A new user with a key, which is shown this once.")
  void add(
      @Mixin RemoteOptions remote,
      @Parameters(paramLabel = "USER") String user,
      @Option(names = "--tier", paramLabel = "NAME", description = "Default standard.") String tier,
      @Option(names = "--admin", description = "May administer.") boolean admin,
      @Option(names = "--label", paramLabel = "TEXT", description = "Of the key.") String label,
      @Option(names = "--json", description = "One JSON object.") boolean json) {
    ObjectNode body = ApiClient.object().put("id", user).put("admin", admin);
    if (tier != null) {
      body.put("tier", tier);
    }
    try (ApiClient client = remote.client()) {
      client.post(USERS, body);
      printKey(client.post(path(user) + "/keys", labelled(label)), json);
    }
  }

  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      description = "Changes a user; jobs that were accepted keep their tier.")
  void set(
      @Mixin RemoteOptions remote,
      @Parameters(paramLabel = "USER") String user,
      @Option(names = "--tier", paramLabel = "NAME", description = "Another tier.") String tier,
      @Option(names = "--admin", arity = "1", paramLabel = "BOOL", description = "true or false.")
          Boolean admin,
      @Option(
              names = "--disabled",
              arity = "1",
              paramLabel = "BOOL",
              description = "true: the keys open nothing.")
          Boolean disabled,
      @Option(names = "--json", description = "One JSON object.") boolean json) {
    ObjectNode body = ApiClient.object();
    if (tier != null) {
      body.put("tier", tier);
    }
    if (admin != null) {
      body.put("admin", admin);
    }
    if (disabled != null) {
      body.put("disabled", disabled);
    }
    try (ApiClient client = remote.client()) {
      answer(client.send("PATCH", path(user), body), json);
    }
  }

  @Command(
      name = "add-key",
      mixinStandardHelpOptions = true,
      description = "Another key, shown this once.")
  void addKey(
      @Mixin RemoteOptions remote,
      @Parameters(paramLabel = "USER") String user,
      @Option(names = "--label", paramLabel = "TEXT", description = "Where it is used.")
          String label,
      @Option(names = "--json", description = "One JSON object.") boolean json) {
    try (ApiClient client = remote.client()) {
      printKey(client.post(path(user) + "/keys", labelled(label)), json);
    }
  }

  @Command(
      name = "revoke-key",
      mixinStandardHelpOptions = true,
      description = "The key opens nothing any more, within seconds.")
  void revokeKey(
      @Mixin RemoteOptions remote,
      @Parameters(paramLabel = "USER") String user,
      @Parameters(paramLabel = "KEY-ID", description = "As `users show` lists it.") String key) {
    try (ApiClient client = remote.client()) {
      client.delete(path(user) + "/keys/" + encoded(key));
      System.err.println("Revoked.");
    }
  }

  private static ObjectNode labelled(String label) {
    return ApiClient.object().put("label", label == null ? "" : label);
  }

  private static void answer(JsonNode user, boolean json) {
    if (json) {
      System.out.println(user);
    } else {
      printWhole(user);
    }
  }

  /** The key alone on standard output, so that a script can keep it. */
  private static void printKey(JsonNode key, boolean json) {
    System.out.println(json ? key.toString() : key.path("key").asText());
    if (!json) {
      System.err.println("This is the key of " + key.path("user").asText() + "; it is shown once.");
    }
  }
}
