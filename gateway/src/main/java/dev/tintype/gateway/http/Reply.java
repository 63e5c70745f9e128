package dev.tintype.gateway.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** What a handler answers. */
public sealed interface Reply {
  /** A whole body. */
  record Body(int status, String contentType, byte[] bytes, Map<String, String> headers)
      implements Reply {}

  /** Headers only: 204, 304. */
  record Empty(int status, Map<String, String> headers) implements Reply {}

  /** The handler writes the response itself (an event stream). */
  record Taken() implements Reply {}

  static Reply json(int status, ObjectNode node) {
    return json(status, node, Map.of());
  }

  static Reply json(int status, ObjectNode node, Map<String, String> headers) {
    return new Body(status, "application/json", Json.bytes(node), headers);
  }
}
