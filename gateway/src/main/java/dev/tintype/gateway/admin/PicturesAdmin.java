package dev.tintype.gateway.admin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Queries;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.store.Account;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Takes pictures away for good: the stored file, the right to start from it, and every variant that
 * an edge has. Edges hear of it through {@link #TOPIC}; one that was away finds it below {@link
 * #FOLDER} within a week, and after that by the original's being gone. The account was verified to
 * be an admin's before.
 */
public final class PicturesAdmin {
  /** Where edges listen; a message is the SHA-256 in hex. */
  public static final String TOPIC = "edge/purge";

  /** Below it a key for each picture that was removed of late. */
  public static final String FOLDER = "edge/purged/";

  private static final Duration REMEMBERED_FOR = Duration.ofDays(7);

  /** Pictures in one call of a user's: some seconds over a distant bucket. */
  private static final int PAGE = 100;

  private static final int CALLS_MAX = 2;
  private static final int WAITING_MAX = 8;
  private static final Duration TIME = Duration.ofSeconds(60);
  private static final byte[] NOTHING = {1};

  private final GatewayParts parts;
  private final BlockingCalls calls;

  public PicturesAdmin(GatewayParts parts) {
    this.parts = parts;
    this.calls =
        new BlockingCalls(
            parts.vertx(),
            CALLS_MAX,
            WAITING_MAX,
            TIME,
            "The pictures were not all removed in time; repeat the call.");
  }

  /** DELETE /v1/admin/images/{sha256}: that picture, whoever it is of. Repeating it is harmless. */
  public Future<Reply> purge(RoutingContext context, Account admin) {
    Queries.of(context, List.of());
    String sha256 = context.pathParam("sha256");
    if (!Sha256.isHex(sha256)) {
      throw unreadable("sha256");
    }
    return calls.run(
        () -> {
          remove(sha256);
          return new Reply.Empty(204, Map.of());
        });
  }

  /**
   * DELETE /v1/admin/users/{user}/images: a page of the pictures that nobody else has too. The
   * answer's {@code next} is the {@code after} of the next call, and null at the end.
   */
  public Future<Reply> purgeUser(RoutingContext context, Account admin) {
    String after = Queries.of(context, List.of("after")).text("after").orElse("");
    if (!after.isEmpty() && !Sha256.isHex(after)) {
      throw unreadable("after");
    }
    String user = context.pathParam("user");
    return calls.run(
        () -> {
          List<String> page = parts.uploads().ownedAlone(user, after, PAGE);
          page.forEach(this::remove);
          ObjectNode node = Json.object().put("purged", page.size());
          node.put("next", page.size() == PAGE ? page.getLast() : null);
          return Reply.json(200, node);
        });
  }

  /**
   * Edges are told first, so that none makes a variant anew between its hearing of it and the
   * file's end. Where they cannot be told, the file goes all the same, and the call fails, to be
   * repeated.
   */
  private void remove(String sha256) {
    Optional<QueueException> untold = Optional.empty();
    try {
      parts.limits().put(FOLDER + sha256, NOTHING, REMEMBERED_FOR);
      parts.limits().publish(TOPIC, sha256.getBytes(StandardCharsets.US_ASCII));
    } catch (QueueException e) {
      untold = Optional.of(e);
    }
    parts.uploads().forget(sha256);
    parts.blobs().delete(sha256);
    if (untold.isPresent()) {
      throw untold.get();
    }
  }

  private static RequestException unreadable(String parameter) {
    return new RequestException(
        400, "request.parameter", parameter, parameter + " is a SHA-256 in 64 hex digits.");
  }
}
