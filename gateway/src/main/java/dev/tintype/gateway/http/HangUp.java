package dev.tintype.gateway.http;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/**
 * Ends an exchange that cannot end well: in HTTP/1 with its connection, in HTTP/2 with its stream
 * alone, since other requests share the connection.
 */
public final class HangUp {
  /** Whatever of the answer was sent is whole; the client should send no more (RFC 9113, 8.1). */
  private static final long NO_ERROR = 0;

  private static final long INTERNAL_ERROR = 2;

  private HangUp() {}

  /** After a whole answer, of which the client may not take or hear the end. */
  public static void afterAnswer(HttpServerRequest request) {
    end(request, NO_ERROR);
  }

  /** In the middle of an answer: the client must not take it for a whole one. */
  public static void inAnswer(HttpServerRequest request) {
    end(request, INTERNAL_ERROR);
  }

  private static void end(HttpServerRequest request, long code) {
    if (request.version() == HttpVersion.HTTP_2) {
      request.response().reset(code);
    } else {
      request.connection().close();
    }
  }
}
