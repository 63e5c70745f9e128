package dev.tintype.gateway;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * The gateway's limits. All have defaults ({@link #defaults()}), and the constructors refuse what
 * cannot work.
 *
 * @param keyCacheTime how long a verified key is believed without asking the store; default 10 s,
 *     the delay of a revocation; 0: not at all
 * @param errorDocs where problem types point to; default "/docs/errors.md", which the gateway
 *     serves itself
 * @param imageOrigin the edge's origin when pictures come from another one than the page; for the
 *     page's security policy
 * @param admission whether a job is refused that may wait for too long; default open
 */
public record GatewayConfig(
    Bodies bodies,
    StoreCalls storeCalls,
    Rates rates,
    Streams streams,
    Duration keyCacheTime,
    String errorDocs,
    Optional<URI> imageOrigin,
    AdmissionRule admission) {
  private static final Duration TIME_MAX = Duration.ofDays(1);

  /**
   * Request bodies.
   *
   * @param bytesMax largest; default 65,536. A prompt of 4,000 characters needs 16,000 bytes at
   *     most
   * @param time how long a client may take to send one; default 10 s
   */
  public record Bodies(int bytesMax, Duration time) {
    public static final Bodies DEFAULT = new Bodies(64 * 1024, Duration.ofSeconds(10));

    public Bodies {
      range("bodies.bytesMax", bytesMax, 1_024, 16 * 1024 * 1024);
      requireTime("bodies.time", time);
    }
  }

  /**
   * Calls of the store.
   *
   * @param most in flight; default 32. More than the store has connections only queue up there
   * @param waitingMax that wait for their turn; default 2,000. Beyond, requests get 503 at once
   * @param time how long a request waits for the store before 503; default 10 s
   */
  public record StoreCalls(int most, int waitingMax, Duration time) {
    public static final StoreCalls DEFAULT = new StoreCalls(32, 2_000, Duration.ofSeconds(10));

    public StoreCalls {
      range("storeCalls.most", most, 1, 10_000);
      range("storeCalls.waitingMax", waitingMax, 0, 1_000_000);
      requireTime("storeCalls.time", time);
    }
  }

  /**
   * What a user may send; beyond it the answer is 429.
   *
   * @param requestsPerSecond of any kind, steadily; default 50
   * @param requestsBurst at once after a pause; default 200
   * @param submitsPerSecond new jobs and pictures to start from, steadily; default 20
   * @param submitsBurst at once after a pause; default 100
   */
  public record Rates(
      double requestsPerSecond, int requestsBurst, double submitsPerSecond, int submitsBurst) {
    public static final Rates DEFAULT = new Rates(50, 200, 20, 100);

    public Rates {
      range("rates.requestsPerSecond", requestsPerSecond, 0.001, 1e6);
      range("rates.requestsBurst", requestsBurst, 1, 1_000_000);
      range("rates.submitsPerSecond", submitsPerSecond, 0.001, 1e6);
      range("rates.submitsBurst", submitsBurst, 1, 1_000_000);
    }
  }

  /**
   * Event streams.
   *
   * @param most open ones; default 2,000. Each costs a virtual thread and a socket
   * @param perUserMax open ones of one user; default 64
   * @param heartbeat time between comments on a silent one; default 15 s, below the idle time-out
   *     of common proxies
   * @param slowClientTime how long a client may leave one event unread before it is dropped;
   *     default 15 s
   * @param time longest life of one; default 1 h. The client reconnects and misses nothing
   */
  public record Streams(
      int most, int perUserMax, Duration heartbeat, Duration slowClientTime, Duration time) {
    public static final Streams DEFAULT =
        new Streams(2_000, 64, Duration.ofSeconds(15), Duration.ofSeconds(15), Duration.ofHours(1));

    public Streams {
      range("streams.most", most, 1, 1_000_000);
      range("streams.perUserMax", perUserMax, 1, 1_000_000);
      requireTime("streams.heartbeat", heartbeat);
      requireTime("streams.slowClientTime", slowClientTime);
      requireTime("streams.time", time);
    }
  }

  public GatewayConfig {
    if (!keyCacheTime.isZero()) {
      requireTime("keyCacheTime", keyCacheTime);
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
        Bodies.DEFAULT,
        StoreCalls.DEFAULT,
        Rates.DEFAULT,
        Streams.DEFAULT,
        Duration.ofSeconds(10),
        "/docs/errors.md",
        Optional.empty(),
        AdmissionRule.OPEN);
  }

  public GatewayConfig withBodies(Bodies other) {
    return new GatewayConfig(
        other, storeCalls, rates, streams, keyCacheTime, errorDocs, imageOrigin, admission);
  }

  public GatewayConfig withRates(Rates other) {
    return new GatewayConfig(
        bodies, storeCalls, other, streams, keyCacheTime, errorDocs, imageOrigin, admission);
  }

  public GatewayConfig withStreams(Streams other) {
    return new GatewayConfig(
        bodies, storeCalls, rates, other, keyCacheTime, errorDocs, imageOrigin, admission);
  }

  public GatewayConfig withKeyCacheTime(Duration other) {
    return new GatewayConfig(
        bodies, storeCalls, rates, streams, other, errorDocs, imageOrigin, admission);
  }

  /** With pictures of another origin than the page's; a path in the URL is left out. */
  public GatewayConfig withImageOrigin(URI url) {
    URI origin = URI.create(url.getScheme() + "://" + url.getAuthority());
    return new GatewayConfig(
        bodies,
        storeCalls,
        rates,
        streams,
        keyCacheTime,
        errorDocs,
        Optional.of(origin),
        admission);
  }

  public GatewayConfig withAdmission(AdmissionRule other) {
    return new GatewayConfig(
        bodies, storeCalls, rates, streams, keyCacheTime, errorDocs, imageOrigin, other);
  }

  private static void range(String field, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw new IllegalArgumentException(
          "gateway: " + field + " is from " + min + " to " + max + "; found " + value);
    }
  }

  private static void requireTime(String field, Duration value) {
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
