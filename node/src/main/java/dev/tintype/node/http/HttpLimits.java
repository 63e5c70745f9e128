package dev.tintype.node.http;

import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.ServerSSLOptions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What one connection may cost.
 *
 * @param handshake for TLS; default 10 s
 * @param firstRequest from the connection to the whole head of its first request, however slowly it
 *     drips; default 20 s
 * @param nextRequest a connection without an answer under way that has sent no further whole head
 *     is closed after once to twice this; default 75 s, as nginx
 * @param silence without a byte in either direction; default 120 s, above the 15 s of event
 *     streams' heartbeats
 * @param answer to make an answer; one that takes longer does not keep a connection open, event
 *     streams apart, which have limits of their own. Default 10 min
 * @param connectionsMax open at a time; further ones are closed at once. Default 10,000
 */
public record HttpLimits(
    Duration handshake,
    Duration firstRequest,
    Duration nextRequest,
    Duration silence,
    Duration answer,
    int connectionsMax) {
  /** Of a whole head, request line apart; also of a header list in HTTP/2. */
  public static final int HEADER_BYTES_MAX = 16 * 1024;

  /** Of a request line. */
  public static final int LINE_BYTES_MAX = 4 * 1024;

  /** A client that takes an answer more slowly than this does not keep its connection by it. */
  public static final long ANSWER_BYTES_PER_S_MIN = 16 * 1024;

  /** Requests at a time on one connection of HTTP/2. */
  public static final int STREAMS_MAX = 100;

  /** Streams that a client may reset on one connection (CVE-2023-44487, "rapid reset"), ... */
  public static final int RESETS_MAX = 200;

  /** ... in so many seconds; beyond, the connection is closed. */
  public static final int RESETS_S = 30;

  /** Small CONTINUATION frames of one head (CVE-2024-27316). */
  public static final int CONTINUATIONS_MAX = 16;

  public static final HttpLimits DEFAULT =
      new HttpLimits(
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofSeconds(75),
          Duration.ofSeconds(120),
          Duration.ofMinutes(10),
          10_000);

  /** TLS 1.2 is the least that RFC 9325 allows. */
  private static final Set<String> PROTOCOLS = Set.of("TLSv1.3", "TLSv1.2");

  /**
   * Options of a server with these limits.
   *
   * @param certificate empty: clear text, HTTP/1.1 alone. Browsers speak HTTP/2 over TLS only, and
   *     clients that try to upgrade in clear text now and then waited for an answer until the
   *     connection idled out
   */
  public HttpServerOptions options(String host, int port, Optional<Certificate> certificate) {
    HttpServerOptions options =
        new HttpServerOptions()
            .setHost(host)
            .setPort(port)
            .setIdleTimeout((int) silence.toMillis())
            .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
            .setHttp2ClearTextEnabled(false)
            .setMaxHeaderSize(HEADER_BYTES_MAX)
            .setMaxInitialLineLength(LINE_BYTES_MAX);
    certificate.ifPresent(
        found ->
            options
                .setSsl(true)
                .setKeyCertOptions(found.keyCert())
                .setEnabledSecureTransportProtocols(PROTOCOLS)
                .setSslHandshakeTimeout(handshake.toMillis())
                .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
                .setUseAlpn(true)
                .setAlpnVersions(List.of(HttpVersion.HTTP_2, HttpVersion.HTTP_1_1))
                .setInitialSettings(
                    new Http2Settings()
                        .setMaxConcurrentStreams(STREAMS_MAX)
                        .setMaxHeaderListSize(HEADER_BYTES_MAX))
                .setHttp2RstFloodMaxRstFramePerWindow(RESETS_MAX)
                .setHttp2RstFloodWindowDuration(RESETS_S)
                .setHttp2RstFloodWindowDurationTimeUnit(TimeUnit.SECONDS)
                .setHttp2MaxSmallContinuationFrames(CONTINUATIONS_MAX));
    return options;
  }

  /** The part of {@link #options} that changes with the certificate. */
  static ServerSSLOptions ssl(Certificate certificate) {
    return new ServerSSLOptions()
        .setKeyCertOptions(certificate.keyCert())
        .setEnabledSecureTransportProtocols(PROTOCOLS)
        .setUseAlpn(true)
        .setApplicationLayerProtocols(List.of("h2", "http/1.1"));
  }
}
