package dev.tintype.queue.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Objects;

/**
 * Why a job did not succeed, in words for its user.
 *
 * @param code stable, such as {@code "model.missing"}; see docs/errors.md
 * @param message what happened and what to do; cut at {@link #MESSAGE_CHARS_MAX}
 * @param retryable whether the same job may succeed another time
 */
public record JobFailure(String code, String message, boolean retryable) {
  public static final int MESSAGE_CHARS_MAX = 2000;
  public static final int CODE_CHARS_MAX = 100;

  public JobFailure {
    Objects.requireNonNull(code);
    code = code.length() > CODE_CHARS_MAX ? code.substring(0, CODE_CHARS_MAX) : code;
    message = Objects.requireNonNull(message).replace('\0', ' ');
    message =
        message.length() > MESSAGE_CHARS_MAX ? message.substring(0, MESSAGE_CHARS_MAX) : message;
  }

  /** As shown in events: {@code {"code":"..","message":"..","retryable":true}}. */
  public String toJson() {
    ObjectNode node = Json.object();
    node.put("code", code);
    node.put("message", message);
    node.put("retryable", retryable);
    return node.toString();
  }
}
