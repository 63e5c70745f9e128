package dev.tintype.gateway.studio;

import dev.tintype.gateway.http.Reply;
import dev.tintype.queue.job.Sha256;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** A file out of the jar, answered with an ETag so that browsers ask again but load once. */
public final class Asset {
  private final String contentType;
  private final byte[] bytes;
  private final String tag;
  private final Map<String, String> headers;

  private Asset(String contentType, byte[] bytes, Map<String, String> headers) {
    this.contentType = contentType;
    this.bytes = bytes;
    this.tag = '"' + Sha256.hex(bytes).substring(0, 32) + '"';
    this.headers = new HashMap<>(headers);
    this.headers.put("ETag", tag);
    this.headers.put("Cache-Control", "no-cache");
  }

  /**
   * @param name of the resource beside {@code owner}
   */
  public static Asset load(
      Class<?> owner, String name, String contentType, Map<String, String> headers) {
    try (InputStream in = owner.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("resource " + name + " is missing from the jar");
      }
      return new Asset(contentType, in.readAllBytes(), headers);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** 200 with the bytes, or 304 when the client has them. */
  public Reply reply(HttpServerRequest request) {
    String known = request.getHeader(HttpHeaders.IF_NONE_MATCH);
    boolean fresh =
        known != null
            && Arrays.stream(known.split(",", 100))
                .map(String::strip)
                .anyMatch(one -> one.equals("*") || one.equals(tag) || one.equals("W/" + tag));
    return fresh ? new Reply.Empty(304, headers) : new Reply.Body(200, contentType, bytes, headers);
  }
}
