package dev.tintype.gateway.images;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.auth.RateLimiter;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.BodyReader;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.queue.job.Sha256;
import dev.tintype.queue.job.UploadRecord;
import dev.tintype.queue.store.Account;
import dev.tintype.queue.store.UploadStore;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Set;

/** POST /v1/images: takes a picture that later jobs of the same user may start from. */
public final class ImagesApi {
  /** Largest file. */
  public static final int UPLOAD_BYTES_MAX = 16 * 1024 * 1024;

  /** How long a client may take to send it: 16 MiB at 2.3 Mbit/s. */
  public static final Duration UPLOAD_TIME = Duration.ofSeconds(60);

  /** For checks and storing: longer than the 30 s that S3 is given. */
  private static final Duration STORE_TIME = Duration.ofSeconds(45);

  private static final Set<String> TYPES =
      Set.of("image/png", "image/jpeg", "application/octet-stream");

  private final GatewayParts parts;
  private final BlockingCalls stores;
  private final RateLimiter submits;
  private final BodyReader bodies;
  private final UploadPermits permits = new UploadPermits();

  /**
   * @param submits the rate of new jobs, which uploads share
   */
  public ImagesApi(GatewayParts parts, RateLimiter submits) {
    this.parts = parts;
    this.stores =
        new BlockingCalls(
            parts.vertx(),
            UploadPermits.AT_ONCE_MAX,
            0,
            STORE_TIME,
            "The picture could not be stored in time.");
    this.submits = submits;
    this.bodies =
        new BodyReader(
            parts.vertx(), UPLOAD_BYTES_MAX, UPLOAD_TIME, "Send a smaller picture, or a JPEG.");
  }

  /** The request must be paused. */
  public Future<Reply> upload(RoutingContext context, Account account) {
    return submits.admit(account.userId()).compose(admitted -> received(context, account));
  }

  private Future<Reply> received(RoutingContext context, Account account) {
    UploadPermits.Permit permit = permits.take(account.userId());
    // The bytes stay in the heap until the work on them has ended, even where nobody waits any
    // more.
    return bodies
        .binary(context.request(), TYPES)
        .onFailure(nothingCame -> permit.giveBack())
        .compose(file -> stores.run(() -> stored(account, file), permit::giveBack));
  }

  private Reply stored(Account account, byte[] file) {
    PictureHeader header = PictureHeader.read(file);
    if (!parts.uploads().hasRoom(account.userId(), Sha256.hex(file))) {
      throw full();
    }
    UploadRecord upload =
        new UploadRecord(
            parts.blobs().put(file),
            header.mediaType(),
            header.width(),
            header.height(),
            file.length);
    // Another upload of the same user may have been quicker.
    if (!parts.uploads().add(account.userId(), upload)) {
      throw full();
    }
    ObjectNode node =
        Json.object()
            .put("sha256", upload.sha256())
            .put("media_type", upload.mediaType())
            .put("width", upload.width())
            .put("height", upload.height())
            .put("bytes", upload.bytes());
    return Reply.json(201, node);
  }

  private static LimitException full() {
    return new LimitException(
        "image.limit",
        "You have " + UploadStore.UPLOADS_PER_USER_MAX + " stored pictures, as many as allowed.",
        Duration.ofHours(1));
  }
}
