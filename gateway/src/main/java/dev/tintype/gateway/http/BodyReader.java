package dev.tintype.gateway.http;

import dev.tintype.gateway.problem.GatewayException.RequestException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reads a request's body: its type, its size and the time it takes are checked before anything is
 * parsed.
 */
public final class BodyReader {
  private final Vertx vertx;
  private final int bytesMax;
  private final Duration time;
  private final String advice;

  public BodyReader(Vertx vertx, int bytesMax, Duration time) {
    this(vertx, bytesMax, time, "A prompt has at most 4,000 characters; shorten it.");
  }

  /**
   * @param advice what to do about a body that is too large
   */
  public BodyReader(Vertx vertx, int bytesMax, Duration time, String advice) {
    this.vertx = vertx;
    this.bytesMax = bytesMax;
    this.time = time;
    this.advice = advice;
  }

  /**
   * The request must be paused. Fails with {@link RequestException}: 415 request.content_type, 413
   * body.too_large, 408 body.timeout, 400 body.incomplete.
   */
  public Future<byte[]> json(HttpServerRequest request) {
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    if (!isJson(type)) {
      return Future.failedFuture(
          new RequestException(
              415,
              "request.content_type",
              "Content-Type",
              "Send the body as Content-Type: application/json."));
    }
    return checked(request);
  }

  /**
   * Bytes of one of those media types (lower case, without parameters); fails as {@link #json}
   * does.
   */
  public Future<byte[]> binary(HttpServerRequest request, Set<String> types) {
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    if (type == null || !types.contains(type.strip().toLowerCase(Locale.ROOT))) {
      return Future.failedFuture(
          new RequestException(
              415,
              "request.content_type",
              "Content-Type",
              "Send the file itself as Content-Type: "
                  + types.stream().sorted().collect(Collectors.joining(" or "))
                  + "."));
    }
    return checked(request);
  }

  private Future<byte[]> checked(HttpServerRequest request) {
    String encoding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      return Future.failedFuture(
          new RequestException(
              415,
              "request.content_encoding",
              "Content-Encoding",
              "Send the body without compression."));
    }
    if (declaredLength(request) > bytesMax) {
      return Future.failedFuture(tooLarge());
    }
    if (request.headers().contains(HttpHeaders.EXPECT, HttpHeaders.CONTINUE, true)) {
      request.response().writeContinue();
    }
    return collect(request);
  }

  private Future<byte[]> collect(HttpServerRequest request) {
    Promise<byte[]> promise = Promise.promise();
    Buffer body = Buffer.buffer();
    long timer =
        vertx.setTimer(
            time.toMillis(),
            id ->
                promise.tryFail(
                    new RequestException(
                        408,
                        "body.timeout",
                        "The body did not arrive within " + time.toSeconds() + " s.")));
    request.handler(
        chunk -> {
          if (promise.future().isComplete()) {
            return;
          }
          if (body.length() + chunk.length() > bytesMax) {
            promise.tryFail(tooLarge());
          } else {
            body.appendBuffer(chunk);
          }
        });
    request.exceptionHandler(
        broken ->
            promise.tryFail(
                new RequestException(
                    400, "body.incomplete", "The body ended before it was complete.")));
    request.endHandler(end -> promise.tryComplete(body.getBytes()));
    request.resume();
    return promise.future().onComplete(done -> vertx.cancelTimer(timer));
  }

  private RequestException tooLarge() {
    return new RequestException(
        413,
        "body.too_large",
        String.format(Locale.ROOT, "The body is larger than %,d bytes. %s", bytesMax, advice));
  }

  private static long declaredLength(HttpServerRequest request) {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    try {
      return length == null ? 0 : Long.parseLong(length.strip());
    } catch (NumberFormatException e) {
      return Long.MAX_VALUE;
    }
  }

  private static boolean isJson(String type) {
    if (type == null) {
      return false;
    }
    String lower = type.toLowerCase(Locale.ROOT).replace(" ", "").replace("\"", "");
    return lower.equals("application/json") || lower.equals("application/json;charset=utf-8");
  }
}
