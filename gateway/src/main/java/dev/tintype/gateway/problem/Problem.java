package dev.tintype.gateway.problem;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.time.Duration;
import java.util.Optional;

/**
 * A refusal as RFC 9457 writes it.
 *
 * @param type link to the explanation of the code
 * @param title the status in words
 * @param status HTTP status
 * @param code stable and dotted
 * @param detail what happened here and what to do
 * @param parameter the member at fault
 * @param predictedWait how long the job might have waited
 * @param requestId repeated from the X-Request-Id header, for reports
 */
public record Problem(
    String type,
    String title,
    int status,
    String code,
    String detail,
    Optional<String> parameter,
    Optional<Duration> predictedWait,
    String requestId) {
  public static final String CONTENT_TYPE = "application/problem+json";

  /**
   * @param docs address of the page that explains the codes
   */
  public static Problem of(GatewayException refusal, String docs, String requestId) {
    return new Problem(
        docs + "#" + refusal.code(),
        title(refusal.status()),
        refusal.status(),
        refusal.code(),
        refusal.getMessage(),
        refusal.parameter(),
        refusal.predictedWait(),
        requestId);
  }

  /** Fills an empty object. */
  public ObjectNode toJson(ObjectNode node) {
    node.put("type", type)
        .put("title", title)
        .put("status", status)
        .put("code", code)
        .put("detail", detail);
    parameter.ifPresent(name -> node.put("parameter", name));
    predictedWait.ifPresent(wait -> node.put("predicted_wait_ms", wait.toMillis()));
    return node.put("request_id", requestId);
  }

  private static String title(int status) {
    return switch (status) {
      // RFC 9110 renamed these two; netty still has the old names.
      case 413 -> "Content Too Large";
      case 422 -> "Unprocessable Content";
      default -> HttpResponseStatus.valueOf(status).reasonPhrase();
    };
  }
}
