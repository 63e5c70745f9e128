package dev.tintype.gateway.images;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.GatewayParts;
import dev.tintype.gateway.auth.RateLimiter;
import dev.tintype.gateway.http.BlockingCalls;
import dev.tintype.gateway.http.BodyReader;
import dev.tintype.gateway.http.Json;
import dev.tintype.gateway.http.Reply;
import dev.tintype.gateway.problem.GatewayException.LimitException;
import dev.tintype.gateway.problem.GatewayException.UnavailableException;
import dev.tintype.queue.job.UploadRecord;
import dev.tintype.queue.store.Account;
import dev.tintype.queue.store.UploadStore;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Semaphore;

/** POST /v1/images: takes a picture that later jobs of the same user may start from. */
public final class ImagesApi {
  /** Largest file. */
  public static final int UPLOAD_BYTES_MAX = 16 * 1024 * 1024;

  /** How long a client may take to send it: 16 MiB at 2.3 Mbit/s. */
  public static final Duration UPLOAD_TIME = Duration.ofSeconds(60);

  /** Uploads in the heap at a time: 128 MiB at most. */
  static final int UPLOADS_AT_ONCE_MAX = 8;

  private static final Duration RETRY_AFTER = Duration.ofSeconds(2);
  private static final Set<String> TYPES =
      Set.of("image/png", "image/jpeg", "application/octet-stream");

  private final GatewayParts parts;
  private final BlockingCalls calls;
  private final RateLimiter submits;
  private final BodyReader bodies;
  private final Semaphore room = new Semaphore(UPLOADS_AT_ONCE_MAX);

  /**
   * @param submits the rate of new jobs, which uploads share
   */
  public ImagesApi(GatewayParts parts, BlockingCalls calls, RateLimiter submits) {
    this.parts = parts;
    this.calls = calls;
    this.submits = submits;
    this.bodies =
        new BodyReader(
            parts.vertx(), UPLOAD_BYTES_MAX, UPLOAD_TIME, "Send a smaller picture, or a JPEG.");
  }

  /** The request must be paused. */
  public Future<Reply> upload(RoutingContext context, Account account) {
    submits.admit(account.userId());
    if (!room.tryAcquire()) {
      return Future.failedFuture(
          new UnavailableException(
              "image.busy", "Too many pictures are being sent. Try again soon.", RETRY_AFTER));
    }
    return bodies
        .binary(context.request(), TYPES)
        .compose(file -> calls.run(() -> stored(account, file)))
        .onComplete(done -> room.release());
  }

  private Reply stored(Account account, byte[] file) {
    PictureHeader header = PictureHeader.read(file);
    UploadRecord upload =
        new UploadRecord(
            parts.blobs().put(file),
            header.mediaType(),
            header.width(),
            header.height(),
            file.length);
    if (!parts.uploads().add(account.userId(), upload)) {
      throw new LimitException(
          "image.limit",
          "You have " + UploadStore.UPLOADS_PER_USER_MAX + " stored pictures, as many as allowed.",
          Duration.ofHours(1));
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
}
