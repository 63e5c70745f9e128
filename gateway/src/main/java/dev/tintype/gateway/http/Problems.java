package dev.tintype.gateway.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tintype.gateway.problem.GatewayException;
import dev.tintype.gateway.problem.GatewayException.AuthenticationException;
import dev.tintype.gateway.problem.GatewayException.InternalException;
import dev.tintype.gateway.problem.GatewayException.MethodException;
import dev.tintype.gateway.problem.GatewayException.RequestException;
import dev.tintype.gateway.problem.GatewayException.UnavailableException;
import dev.tintype.gateway.problem.Problem;
import dev.tintype.queue.QueueException;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns whatever went wrong into an application/problem+json answer (RFC 9457). */
public final class Problems {
  private static final Logger LOG = LoggerFactory.getLogger(Problems.class);

  /**
   * How long a refused upload may go on before its connection is closed: time for the client to
   * read the answer.
   */
  private static final long LINGER_MS = 1_000;

  private static final Duration STORE_RETRY = Duration.ofSeconds(2);

  private final Vertx vertx;
  private final String docs;

  /**
   * @param docs where the documentation of codes is; the code becomes the fragment
   */
  public Problems(Vertx vertx, String docs) {
    this.vertx = vertx;
    this.docs = docs;
  }

  /** Writes the answer, unless one was begun. */
  public void answer(HttpServerRequest request, String requestId, Throwable cause) {
    HttpServerResponse response = request.response();
    if (response.ended() || response.closed()) {
      return;
    }
    if (response.headWritten()) {
      LOG.warn("request {} failed after its answer began", requestId, cause);
      HangUp.inAnswer(request);
      return;
    }
    GatewayException refusal = classify(cause, requestId);
    if (refusal.status() >= 500) {
      LOG.warn("request {}: {} {}", requestId, refusal.status(), refusal.code(), cause);
    }
    byte[] body = Json.bytes(render(refusal, requestId));
    response
        .setStatusCode(refusal.status())
        .putHeader(HttpHeaders.CONTENT_TYPE, Problem.CONTENT_TYPE)
        .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length));
    refusal
        .retryAfter()
        .ifPresent(
            wait -> response.putHeader(HttpHeaders.RETRY_AFTER, Long.toString(seconds(wait))));
    switch (refusal) {
      case AuthenticationException authentication ->
          response.putHeader(
              "WWW-Authenticate",
              authentication.code().equals("auth.missing")
                  ? "Bearer realm=\"tintype\""
                  : "Bearer realm=\"tintype\", error=\"invalid_token\"");
      case MethodException method -> response.putHeader(HttpHeaders.ALLOW, method.allow());
      default -> {}
    }
    finish(request, body);
  }

  private void finish(HttpServerRequest request, byte[] body) {
    HttpServerResponse response = request.response();
    boolean unread = !request.isEnded();
    if (unread) {
      // The rest of the body is thrown away for a moment, so that the client gets to read the
      // answer.
      if (request.version() != HttpVersion.HTTP_2) {
        response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
      }
      request.resume();
    }
    Endpoint.endWith(request, body);
    if (unread) {
      vertx.setTimer(LINGER_MS, id -> HangUp.afterAnswer(request));
    }
  }

  private ObjectNode render(GatewayException refusal, String requestId) {
    return Problem.of(refusal, docs, requestId).toJson(Json.object());
  }

  private static long seconds(Duration wait) {
    return Math.max(1, wait.plusMillis(999).toSeconds());
  }

  private static GatewayException classify(Throwable cause, String requestId) {
    return switch (cause) {
      case GatewayException known -> known;
      case QueueException queue -> classify(queue, requestId);
      case null, default -> {
        LOG.error("request {} failed", requestId, cause);
        yield new InternalException(requestId);
      }
    };
  }

  private static GatewayException classify(QueueException queue, String requestId) {
    return switch (queue) {
      case QueueException.Invalid invalid ->
          new RequestException(422, invalid.code(), invalid.getMessage());
      case QueueException.Unavailable down ->
          new UnavailableException(down.code(), down.getMessage(), STORE_RETRY);
      case QueueException.Broken broken -> internal(broken, requestId);
      case QueueException.Refused refused -> internal(refused, requestId);
      case QueueException.Blob blob -> internal(blob, requestId);
    };
  }

  private static GatewayException internal(QueueException cause, String requestId) {
    LOG.error("request {} failed", requestId, cause);
    return new InternalException(requestId);
  }
}
