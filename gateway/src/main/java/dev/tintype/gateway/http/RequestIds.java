package dev.tintype.gateway.http;

import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.HexFormat;
import java.util.random.RandomGenerator;

/**
 * Gives each request an id for logs and reports, and each answer the headers that keep browsers
 * careful.
 */
public final class RequestIds {
  private static final String KEY = "tintype.request";

  private final RandomGenerator random;

  public RequestIds(RandomGenerator random) {
    this.random = random;
  }

  /** The request's id, 16 hex digits; made and written to the response on first use. */
  public String attach(RoutingContext context) {
    String known = context.get(KEY);
    if (known != null) {
      return known;
    }
    String id = HexFormat.of().toHexDigits(random.nextLong());
    context.put(KEY, id);
    HttpServerResponse response = context.response();
    if (!response.headWritten()) {
      response
          .putHeader("X-Request-Id", id)
          .putHeader("X-Content-Type-Options", "nosniff")
          .putHeader("Referrer-Policy", "no-referrer")
          .putHeader("Cache-Control", "no-store");
    }
    return id;
  }
}
