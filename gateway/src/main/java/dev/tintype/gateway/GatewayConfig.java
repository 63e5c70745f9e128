package dev.tintype.gateway;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * The gateway's limits. Every field has a default ({@link #defaults()}) and the constructor refuses
 * what cannot work.
 *
 * @param bodyBytesMax largest request body; default 65,536. A prompt of 4,000 characters needs
 *     16,000 bytes at most
 * @param bodyTime how long a client may take to send a body; default 10 s
 * @param storeCallsMax store calls in flight; default 32. More than the store has connections only
 *     queue up there
 * @param storeCallsWaitingMax store calls that wait for their turn; default 2,000. Beyond, requests
 *     get 503 at once
 * @param storeTime how long a request waits for the store before 503; default 10 s
 * @param requestsPerSecond steady rate of requests per user; default 50
 * @param requestsBurst requests that a user may send at once; default 200
 * @param submitsPerSecond steady rate of new jobs per user; default 20
 * @param submitsBurst jobs that a user may submit at once; default 100
 * @param streamsMax open event streams; default 2,000. Each costs a virtual thread and a socket
 * @param streamsPerUserMax open event streams of one user; default 64
 * @param heartbeat time between comments on a silent stream; default 15 s, below the idle time-out
 *     of common proxies
 * @param slowClientTime how long a client may leave one event unread before it is dropped; default
 *     15 s
 * @param streamTime longest life of one stream; default 1 h. The client reconnects and misses
 *     nothing
 * @param keyCacheTime how long a verified key is believed without asking the store; default 10 s,
 *     the delay of a revocation
 * @param errorDocs where problem types point to; default "/docs/errors.md", which the gateway
 *     serves itself
 * @param imageOrigin the edge's origin when pictures come from another one than the page; for the
 *     page's security policy
 * @param admission whether a job is refused that may wait for too long; default open
 */
public record GatewayConfig(
    int bodyBytesMax,
    Duration bodyTime,
    int storeCallsMax,
    int storeCallsWaitingMax,
    Duration storeTime,
    double requestsPerSecond,
    int requestsBurst,
    double submitsPerSecond,
    int submitsBurst,
    int streamsMax,
    int streamsPerUserMax,
    Duration heartbeat,
    Duration slowClientTime,
    Duration streamTime,
    Duration keyCacheTime,
    String errorDocs,
    Optional<URI> imageOrigin,
    AdmissionRule admission) {

  private static final Duration TIME_MAX = Duration.ofDays(1);

  public GatewayConfig {
    range("bodyBytesMax", bodyBytesMax, 1_024, 16 * 1024 * 1024);
    time("bodyTime", bodyTime);
    range("storeCallsMax", storeCallsMax, 1, 10_000);
    range("storeCallsWaitingMax", storeCallsWaitingMax, 0, 1_000_000);
    time("storeTime", storeTime);
    range("requestsPerSecond", requestsPerSecond, 0.001, 1e6);
    range("requestsBurst", requestsBurst, 1, 1_000_000);
    range("submitsPerSecond", submitsPerSecond, 0.001, 1e6);
    range("submitsBurst", submitsBurst, 1, 1_000_000);
    range("streamsMax", streamsMax, 1, 1_000_000);
    range("streamsPerUserMax", streamsPerUserMax, 1, 1_000_000);
    time("heartbeat", heartbeat);
    time("slowClientTime", slowClientTime);
    time("streamTime", streamTime);
    if (!keyCacheTime.isZero()) {
      time("keyCacheTime", keyCacheTime);
    }
    if (!errorDocs.matches("(https?://|/)[!-~]*")) {
      throw new IllegalArgumentException(
          "gateway: errorDocs is a URL or a path; found " + errorDocs);
    }
    imageOrigin.ifPresent(GatewayConfig::requireOrigin);
  }

  /** What a laptop and a small server need. */
  public static GatewayConfig defaults() {
    return new GatewayConfig(
        64 * 1024,
        Duration.ofSeconds(10),
        32,
        2_000,
        Duration.ofSeconds(10),
        50,
        200,
        20,
        100,
        2_000,
        64,
        Duration.ofSeconds(15),
        Duration.ofSeconds(15),
        Duration.ofHours(1),
        Duration.ofSeconds(10),
        "/docs/errors.md",
        Optional.empty(),
        AdmissionRule.OPEN);
  }

  /** The same with other rates, for load tests and fleets. */
  public GatewayConfig withRates(
      double requests, int requestsAtOnce, double submits, int submitsAtOnce) {
    return new GatewayConfig(
        bodyBytesMax,
        bodyTime,
        storeCallsMax,
        storeCallsWaitingMax,
        storeTime,
        requests,
        requestsAtOnce,
        submits,
        submitsAtOnce,
        streamsMax,
        streamsPerUserMax,
        heartbeat,
        slowClientTime,
        streamTime,
        keyCacheTime,
        errorDocs,
        imageOrigin,
        admission);
  }

  /** The same with keys believed for another time. */
  public GatewayConfig withKeyCacheTime(Duration time) {
    return new GatewayConfig(
        bodyBytesMax,
        bodyTime,
        storeCallsMax,
        storeCallsWaitingMax,
        storeTime,
        requestsPerSecond,
        requestsBurst,
        submitsPerSecond,
        submitsBurst,
        streamsMax,
        streamsPerUserMax,
        heartbeat,
        slowClientTime,
        streamTime,
        time,
        errorDocs,
        imageOrigin,
        admission);
  }

  /** The same with another rule for jobs that may wait for too long. */
  public GatewayConfig withAdmission(AdmissionRule rule) {
    return new GatewayConfig(
        bodyBytesMax,
        bodyTime,
        storeCallsMax,
        storeCallsWaitingMax,
        storeTime,
        requestsPerSecond,
        requestsBurst,
        submitsPerSecond,
        submitsBurst,
        streamsMax,
        streamsPerUserMax,
        heartbeat,
        slowClientTime,
        streamTime,
        keyCacheTime,
        errorDocs,
        imageOrigin,
        rule);
  }

  /**
   * The same with pictures that come from another origin than the page; a path in the URL is left
   * out.
   */
  public GatewayConfig withImageOrigin(URI url) {
    URI origin = URI.create(url.getScheme() + "://" + url.getAuthority());
    return new GatewayConfig(
        bodyBytesMax,
        bodyTime,
        storeCallsMax,
        storeCallsWaitingMax,
        storeTime,
        requestsPerSecond,
        requestsBurst,
        submitsPerSecond,
        submitsBurst,
        streamsMax,
        streamsPerUserMax,
        heartbeat,
        slowClientTime,
        streamTime,
        keyCacheTime,
        errorDocs,
        Optional.of(origin),
        admission);
  }

  /** The same with other limits for request bodies. */
  public GatewayConfig withBody(int bytesMax, Duration time) {
    return new GatewayConfig(
        bytesMax,
        time,
        storeCallsMax,
        storeCallsWaitingMax,
        storeTime,
        requestsPerSecond,
        requestsBurst,
        submitsPerSecond,
        submitsBurst,
        streamsMax,
        streamsPerUserMax,
        heartbeat,
        slowClientTime,
        streamTime,
        keyCacheTime,
        errorDocs,
        imageOrigin,
        admission);
  }

  /** The same with other limits for event streams. */
  public GatewayConfig withStreams(
      int most, int mostPerUser, Duration heartbeatTime, Duration slowClient, Duration longest) {
    return new GatewayConfig(
        bodyBytesMax,
        bodyTime,
        storeCallsMax,
        storeCallsWaitingMax,
        storeTime,
        requestsPerSecond,
        requestsBurst,
        submitsPerSecond,
        submitsBurst,
        most,
        mostPerUser,
        heartbeatTime,
        slowClient,
        longest,
        keyCacheTime,
        errorDocs,
        imageOrigin,
        admission);
  }

  private static void range(String field, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw new IllegalArgumentException(
          "gateway: " + field + " is from " + min + " to " + max + "; found " + value);
    }
  }

  private static void time(String field, Duration value) {
    if (value.toMillis() < 1 || value.compareTo(TIME_MAX) > 0) {
      throw new IllegalArgumentException(
          "gateway: " + field + " is from 1 ms to 1 day; found " + value);
    }
  }

  private static void requireOrigin(URI origin) {
    if (!origin.toString().matches("https?://[A-Za-z0-9.:\\[\\]-]+")) {
      throw new IllegalArgumentException(
          "gateway: imageOrigin is scheme, host and port only; found " + origin);
    }
  }
}
