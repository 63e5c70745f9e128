package dev.tintype.gateway.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.BodyReader;
import dev.tintype.gateway.http.Fields;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Queries;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.problem.GatewayException.NotFoundException;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.queue.store.Account;
import dev.tintype.queue.store.AccountAdmin;
import dev.tintype.queue.store.AccountAdmin.Change;
import dev.tintype.queue.store.AccountAdmin.Key;
import dev.tintype.queue.store.AccountAdmin.User;
import dev.tintype.queue.store.Tier;
import dev.tintype.queue.store.TierClass;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Users, their keys, and the tiers; for admins only. */
public final class AccountsApi {
  private static final int PAGE_DEFAULT = 50;
  private static final int LABEL_CHARACTERS_MAX = 200;
  private static final List<String> TIER_FIELDS =
      List.of(
          "weight",
          "max_wait_s",
          "running_max",
          "queued_max",
          "retention_s",
          "class",
          "fast_gpu_seconds",
          "pool",
          "pool_spills");

  /** Of fast_gpu_seconds: no limit. */
  private static final long UNLIMITED = -1;

  private final GatewayParts parts;
  private final BlockingCalls calls;
  private final BodyReader bodies;

  public AccountsApi(GatewayParts parts, BlockingCalls calls, BodyReader bodies) {
    this.parts = parts;
    this.calls = calls;
    this.bodies = bodies;
  }

  private AccountAdmin store() {
    return parts.accountAdmin();
  }

  private Future<Fields> fields(RoutingContext context, List<String> known) {
    return bodies.json(context.request()).map(body -> new Fields(Json.readObject(body), known));
  }

  /** GET /v1/admin/users: by id. */
  public Future<Reply> users(RoutingContext context, Account admin) {
    Queries query = Queries.of(context, List.of("limit", "after"));
    int limit = query.integer("limit", 1, AccountAdmin.PAGE_MAX).orElse(PAGE_DEFAULT);
    return calls.run(
        () -> {
          List<User> users = store().users(query.text("after"), limit + 1);
          List<User> page = users.subList(0, Math.min(limit, users.size()));
          ObjectNode node = Json.object();
          ArrayNode array = node.putArray("users");
          page.forEach(user -> array.add(user(user)));
          node.put("next", users.size() > limit ? page.getLast().id() : null);
          return Reply.json(200, node);
        });
  }

  /** POST /v1/admin/users: a new one, without a key yet. */
  public Future<Reply> create(RoutingContext context, Account admin) {
    return fields(context, List.of("id", "tier", "admin"))
        .compose(
            fields -> {
              String id = required(fields, "id");
              Optional<String> tier = fields.text("tier");
              boolean isAdmin = fields.bool("admin").orElse(false);
              return calls.run(
                  () -> {
                    parts
                        .accounts()
                        .createUser(
                            id,
                            tier.orElseGet(() -> Tier.byDefault(parts.accounts().tiers()).name()),
                            isAdmin);
                    return Reply.json(201, whole(id));
                  });
            });
  }

  /** GET /v1/admin/users/{user}: with its keys, which are names and dates only. */
  public Future<Reply> get(RoutingContext context, Account admin) {
    Queries.of(context, List.of());
    String id = context.pathParam("user");
    return calls.run(() -> Reply.json(200, whole(id)));
  }

  /** PATCH /v1/admin/users/{user}: another tier, an admin or none, shut out or let in. */
  public Future<Reply> change(RoutingContext context, Account admin) {
    String id = context.pathParam("user");
    return fields(context, List.of("tier", "admin", "disabled"))
        .compose(
            fields -> {
              Change change =
                  new Change(fields.text("tier"), fields.bool("admin"), fields.bool("disabled"));
              return calls.run(
                  () -> {
                    store().change(id, change).orElseThrow(AccountsApi::unknown);
                    return Reply.json(200, whole(id));
                  });
            });
  }

  /** POST /v1/admin/users/{user}/keys: the answer is the only place where the key is shown. */
  public Future<Reply> createKey(RoutingContext context, Account admin) {
    String id = context.pathParam("user");
    return fields(context, List.of("label"))
        .compose(
            fields -> {
              String label = fields.text("label").orElse("");
              if (label.length() > LABEL_CHARACTERS_MAX) {
                throw new RequestException(
                    422,
                    "field.range",
                    "label",
                    "label has at most " + LABEL_CHARACTERS_MAX + " characters.");
              }
              return calls.run(
                  () -> {
                    store().user(id).orElseThrow(AccountsApi::unknown);
                    return new Reply.Body(
                        201,
                        "application/json",
                        Json.bytes(
                            Json.object()
                                .put("user", id)
                                .put("label", label)
                                .put("key", parts.accounts().createKey(id, label))),
                        Map.of("Cache-Control", "no-store"));
                  });
            });
  }

  /** DELETE /v1/admin/users/{user}/keys/{key}: gateways hear of it within seconds. */
  public Future<Reply> revokeKey(RoutingContext context, Account admin) {
    String id = context.pathParam("user");
    String key = context.pathParam("key");
    return calls.run(
        () -> {
          if (!parts.accounts().revokeKey(id, key)) {
            throw new NotFoundException(
                "account.key", "This user has no key of that id that opens anything.");
          }
          return new Reply.Empty(204, Map.of());
        });
  }

  /** PUT /v1/admin/tiers/{tier}: makes one, or changes what is given of the one that is there. */
  public Future<Reply> putTier(RoutingContext context, Account admin) {
    String name = context.pathParam("tier");
    return fields(context, TIER_FIELDS)
        .compose(fields -> calls.run(() -> Reply.json(200, tier(name, fields))));
  }

  private ObjectNode tier(String name, Fields fields) {
    Optional<Tier> known =
        parts.accounts().tiers().stream().filter(one -> one.name().equals(name)).findFirst();
    long wait = Tier.MAX_WAIT_MAX.toSeconds();
    long retention = Tier.RETENTION_MAX.toSeconds();
    Tier tier =
        new Tier(
            name,
            or(fields.integer("weight", 1, 1_000), known.map(Tier::weight), "weight"),
            Duration.ofSeconds(
                or(
                    fields.integer("max_wait_s", 1, (int) wait),
                    known.map(one -> (int) one.maxWait().toSeconds()),
                    "max_wait_s")),
            or(
                fields.integer("running_max", 1, 1_000_000),
                known.map(Tier::runningMax),
                "running_max"),
            or(
                fields.integer("queued_max", 1, 10_000_000),
                known.map(Tier::queuedMax),
                "queued_max"),
            Duration.ofSeconds(
                fields
                    .integer("retention_s", 60L, retention)
                    .orElseGet(
                        () ->
                            known
                                .map(one -> one.retention().toSeconds())
                                .orElseThrow(() -> missing("retention_s")))),
            fields
                .text("class")
                .map(AccountsApi::tierClass)
                .or(() -> known.map(Tier::tierClass))
                .orElseThrow(() -> missing("class")),
            fast(fields.integer("fast_gpu_seconds", UNLIMITED, Tier.FAST_GPU_SECONDS_MAX), known),
            fields.text("pool").or(() -> known.flatMap(Tier::pool)),
            fields.bool("pool_spills").orElse(known.map(Tier::spills).orElse(false)));
    store().putTier(tier);
    return json(tier);
  }

  private static OptionalLong fast(OptionalLong given, Optional<Tier> known) {
    if (given.isEmpty()) {
      return known.map(Tier::fastGpuSeconds).orElse(OptionalLong.empty());
    }
    return given.getAsLong() == UNLIMITED ? OptionalLong.empty() : given;
  }

  private static int or(OptionalInt given, Optional<Integer> known, String field) {
    return given.isPresent() ? given.getAsInt() : known.orElseThrow(() -> missing(field));
  }

  private static TierClass tierClass(String text) {
    return Arrays.stream(TierClass.values())
        .filter(one -> one.wire().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new RequestException(
                    422, "field.range", "class", "class is relaxed, normal or priority."));
  }

  static ObjectNode json(Tier tier) {
    return Json.object()
        .put("name", tier.name())
        .put("weight", tier.weight())
        .put("max_wait_s", tier.maxWait().toSeconds())
        .put("running_max", tier.runningMax())
        .put("queued_max", tier.queuedMax())
        .put("retention_s", tier.retention().toSeconds())
        .put("class", tier.tierClass().wire())
        .put(
            "fast_gpu_seconds",
            tier.fastGpuSeconds().isPresent() ? tier.fastGpuSeconds().getAsLong() : null)
        .put("pool", tier.home())
        .put("pool_spills", tier.spills());
  }

  private ObjectNode whole(String id) {
    ObjectNode node = user(store().user(id).orElseThrow(AccountsApi::unknown));
    ArrayNode keys = node.putArray("keys");
    store().keys(id).forEach(key -> keys.add(key(key)));
    return node;
  }

  private static ObjectNode user(User user) {
    return Json.object()
        .put("id", user.id())
        .put("tier", user.tier())
        .put("admin", user.admin())
        .put("disabled", user.disabled())
        .put("created_at", user.createdAt().toString());
  }

  private static ObjectNode key(Key key) {
    return Json.object()
        .put("id", key.id())
        .put("label", key.label())
        .put("created_at", key.createdAt().toString())
        .put("revoked_at", key.revokedAt().map(Instant::toString).orElse(null));
  }

  private static String required(Fields fields, String name) {
    return fields.text(name).orElseThrow(() -> missing(name));
  }

  private static RequestException missing(String field) {
    return new RequestException(422, "field.missing", field, field + " is missing.");
  }

  private static NotFoundException unknown() {
    return new NotFoundException("account.unknown", "There is no such user.");
  }
}
