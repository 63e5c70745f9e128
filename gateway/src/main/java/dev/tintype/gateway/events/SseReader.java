package dev.tintype.gateway.events;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Reads text/event-stream as the HTML standard says a client shall (section 9.2.6), for what we
 * send: the other side of {@link SseFormat}. Not for several threads.
 */
public final class SseReader implements AutoCloseable {
  /** Far more than the largest preview; a stream without an end of line is no stream. */
  static final int MESSAGE_CHARS_MAX = 32 << 20;

  private final BufferedReader in;
  private String lastId = "";

  /** The last line ended in CR: a LF behind it belongs to it. Never waited for. */
  private boolean afterCr;

  /** Owns the stream. */
  public SseReader(InputStream in) {
    this.in = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
  }

  /**
   * One message.
   *
   * @param id the last one that the stream named; empty where it named none
   * @param data its lines, joined by line feeds
   */
  public record Message(String id, String event, String data) {}

  /**
   * Waits for the next message; a message that the end of the stream cut off is dropped.
   *
   * @return empty at the end of the stream
   * @throws IOException where the connection broke, or a message passes 32 Mi characters
   */
  public Optional<Message> next() throws IOException {
    String event = "message";
    StringBuilder data = new StringBuilder();
    for (String line = line(data); line != null; line = line(data)) {
      if (line.isEmpty()) {
        if (!data.isEmpty()) {
          data.setLength(data.length() - 1);
          return Optional.of(new Message(lastId, event, data.toString()));
        }
        event = "message";
        continue;
      }
      int colon = line.indexOf(':');
      String field = colon < 0 ? line : line.substring(0, colon);
      String value = colon < 0 ? "" : line.substring(colon + 1);
      if (value.startsWith(" ")) {
        value = value.substring(1);
      }
      switch (field) {
        case "id" -> lastId = value.indexOf('\0') < 0 ? value : lastId;
        case "event" -> event = value;
        case "data" -> data.append(value).append('\n');
        default -> {
          // A comment, or a field that a client does not know.
        }
      }
    }
    return Optional.empty();
  }

  /** One line without its end; null at the end of the stream. */
  private String line(StringBuilder before) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int c = in.read();
      boolean secondHalf = afterCr && c == '\n';
      afterCr = c == '\r';
      if (secondHalf) {
        continue;
      }
      if (c < 0) {
        return null;
      }
      if (c == '\n' || c == '\r') {
        return line.toString();
      }
      if (before.length() + line.length() >= MESSAGE_CHARS_MAX) {
        throw new IOException("a message of more than " + MESSAGE_CHARS_MAX + " characters");
      }
      line.append((char) c);
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
