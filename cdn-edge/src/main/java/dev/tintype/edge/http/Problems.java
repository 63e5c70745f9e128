package dev.tintype.edge.http;

import dev.tintype.edge.error.EdgeException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;

/**
 * Errors as problem documents (RFC 9457), with the stable code and, where it helps, Retry-After.
 */
final class Problems {
  /** How long an answer that may change soon is kept by caches. */
  private static final String SHORT = "public, max-age=5";

  private Problems() {}

  static void send(HttpServerRequest request, EdgeException problem) {
    HttpServerResponse response = request.response();
    if (response.ended() || response.closed() || response.headWritten()) {
      return;
    }
    JsonObject body =
        new JsonObject()
            .put("type", "docs/errors.md#" + problem.code())
            .put("title", title(problem))
            .put("status", problem.status())
            .put("detail", problem.getMessage())
            .put("code", problem.code());
    response.setStatusCode(problem.status());
    response.putHeader(HttpHeaders.CONTENT_TYPE, "application/problem+json");
    response.putHeader(HttpHeaders.CACHE_CONTROL, cacheControl(problem));
    response.putHeader("X-Content-Type-Options", "nosniff");
    if (problem.retryAfterS() > 0) {
      response.putHeader(HttpHeaders.RETRY_AFTER, Integer.toString(problem.retryAfterS()));
    }
    switch (problem) {
      case EdgeException.WrongMethod wrong -> response.putHeader(HttpHeaders.ALLOW, "GET, HEAD");
      case EdgeException.RangeOutside range ->
          response.putHeader(HttpHeaders.CONTENT_RANGE, "bytes */" + range.size());
      case EdgeException.BadRequest _,
          EdgeException.Forbidden _,
          EdgeException.Missing _,
          EdgeException.Purged _,
          EdgeException.Expired _,
          EdgeException.Unsupported _,
          EdgeException.Precondition _,
          EdgeException.Busy _,
          EdgeException.Failed _,
          EdgeException.Config _ -> {}
    }
    if (request.method().equals(HttpMethod.HEAD)) {
      response.putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.toBuffer().length()));
      response.end();
    } else {
      response.end(body.toBuffer());
    }
  }

  private static String cacheControl(EdgeException problem) {
    return switch (problem) {
      case EdgeException.Missing _,
          EdgeException.Purged _,
          EdgeException.Expired _,
          EdgeException.Unsupported _ ->
          SHORT;
      case EdgeException.BadRequest _,
          EdgeException.Forbidden _,
          EdgeException.WrongMethod _,
          EdgeException.RangeOutside _,
          EdgeException.Precondition _,
          EdgeException.Busy _,
          EdgeException.Failed _,
          EdgeException.Config _ ->
          "no-store";
    };
  }

  private static String title(EdgeException problem) {
    return switch (problem) {
      case EdgeException.BadRequest _ -> "The image URL cannot be understood";
      case EdgeException.Forbidden _ -> "The signature does not fit";
      case EdgeException.Missing _ -> "No such image";
      case EdgeException.WrongMethod _ -> "Method not possible";
      case EdgeException.Purged _ -> "The picture was removed";
      case EdgeException.Expired _ -> "The image URL has expired";
      case EdgeException.Unsupported _ -> "The original cannot be used";
      case EdgeException.RangeOutside _ -> "The range lies outside the image";
      case EdgeException.Precondition _ -> "The condition does not hold";
      case EdgeException.Busy _ -> "Not now";
      case EdgeException.Failed _, EdgeException.Config _ -> "Something broke here";
    };
  }
}
